#!/usr/bin/env bash
# Test on several processes:
# tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [OPTIONS of test.py]
set -euo pipefail
CONFIG=${1:?usage: $0 CONFIG CHECKPOINT PROCESSES [OPTIONS]}
CHECKPOINT=${2:?usage: $0 CONFIG CHECKPOINT PROCESSES [OPTIONS]}
PROCESSES=${3:?usage: $0 CONFIG CHECKPOINT PROCESSES [OPTIONS]}

exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$(dirname "$0")/test.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "${@:4}"
