#!/usr/bin/env bash
# Test on several processes:
# tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [OPTIONS of test.py]
set -euo pipefail
CONFIG=${1:?usage: $0 CONFIG CHECKPOINT PROCESSES [OPTIONS]}
CHECKPOINT=${2:?usage: $0 CONFIG CHECKPOINT PROCESSES [OPTIONS]}
PROCESSES=${3:?usage: $0 CONFIG CHECKPOINT PROCESSES [OPTIONS]}

# On one machine, a free port unless one is given; several must agree on one.
PORT=${PORT:-${MASTER_PORT:-}}
NNODES=${NNODES:-1}
if [ -z "$PORT" ] && [ "$NNODES" = 1 ]; then
    RENDEZVOUS=(--rdzv_backend=c10d --rdzv_endpoint=localhost:0 --local_addr=127.0.0.1)
else
    RENDEZVOUS=(--master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}")
fi

exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="$NNODES" \
    --node_rank="${NODE_RANK:-0}" \
    "${RENDEZVOUS[@]}" \
    --nproc_per_node="$PROCESSES" \
    "$(dirname "$0")/test.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "${@:4}"
