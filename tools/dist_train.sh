#!/usr/bin/env bash
# Train on several processes: tools/dist_train.sh CONFIG PROCESSES [OPTIONS of train.py]
# One process a GPU; without a GPU, processes on the CPU that talk over gloo.
set -euo pipefail
CONFIG=${1:?usage: $0 CONFIG PROCESSES [OPTIONS]}
PROCESSES=${2:?usage: $0 CONFIG PROCESSES [OPTIONS]}

exec bash "$(dirname "$0")/launch.sh" "$PROCESSES" \
    train.py "$CONFIG" --launcher pytorch "${@:3}"
