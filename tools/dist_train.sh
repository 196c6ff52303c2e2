#!/usr/bin/env bash
# Train on several processes: tools/dist_train.sh CONFIG PROCESSES [OPTIONS of train.py]
# One process a GPU; without a GPU, processes on the CPU that talk over gloo.
set -euo pipefail
CONFIG=${1:?usage: $0 CONFIG PROCESSES [OPTIONS]}
PROCESSES=${2:?usage: $0 CONFIG PROCESSES [OPTIONS]}

exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "${@:3}"
