#!/usr/bin/env bash
# Start a tool in several processes: tools/launch.sh PROCESSES TOOL [OPTIONS of the tool]
set -euo pipefail
PROCESSES=${1:?usage: $0 PROCESSES TOOL [OPTIONS]}

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
    "$(dirname "$0")/$2" "${@:3}"
