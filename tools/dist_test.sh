#!/usr/bin/env bash
# Test on several processes:
# tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [OPTIONS of test.py]
set -euo pipefail
CONFIG=${1:?usage: $0 CONFIG CHECKPOINT PROCESSES [OPTIONS]}
CHECKPOINT=${2:?usage: $0 CONFIG CHECKPOINT PROCESSES [OPTIONS]}
PROCESSES=${3:?usage: $0 CONFIG CHECKPOINT PROCESSES [OPTIONS]}

exec bash "$(dirname "$0")/launch.sh" "$PROCESSES" \
    test.py "$CONFIG" "$CHECKPOINT" --launcher pytorch "${@:4}"
