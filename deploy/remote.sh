#!/usr/bin/env bash
# Work on the server's host over ssh.
#
# - `remote.sh rollout` rolls out SERVER_IMAGE, or the image in images.json beside this script.
# - `remote.sh tunnel COMMAND…` runs a command while a port of this machine leads to the server.
#
# Environment variables:
#
# - DEPLOY_HOST: ssh://USER@HOST or ssh://USER@HOST:PORT.
# - DEPLOY_KNOWN_HOSTS: the host's public key, a line of ssh-keyscan.
# - DEPLOY_SSH_KEY: the private key, which only ssh-agent reads.
# - DEPLOY_PORT: the server's port on the host. The default is 8005.
# - TUNNEL_PORT: the port of this machine. The default is 8005.
set -euo pipefail

remote_port=${DEPLOY_PORT:-8005}
local_port=${TUNNEL_PORT:-8005}

fail() {
  echo "error: $1" >&2
  echo "hint: $2" >&2
  exit 2
}

connect() {
  ssh -F none \
    -o "UserKnownHostsFile=$directory/known_hosts" -o GlobalKnownHostsFile=none \
    -o StrictHostKeyChecking=yes -o BatchMode=yes \
    -o ConnectTimeout=20 -o ServerAliveInterval=15 "$@"
}

close() {
  ssh -S "$directory/s" -O exit "$DEPLOY_HOST" 2>/dev/null || true
  ssh-agent -k >/dev/null || true
  rm -rf "$directory"
}

rollout() {
  local record image
  record=$(dirname "$0")/images.json
  image=${SERVER_IMAGE:-$(sed -n 's/.*"server": *"\([^"]*\)".*/\1/p' "$record" 2>/dev/null || true)}
  [[ $image =~ @(sha256:[0-9a-f]{64})$ ]] ||
    fail "The server image '$image' has no digest." "export SERVER_IMAGE=REPOSITORY@sha256:DIGEST"
  connect "$DEPLOY_HOST" "${BASH_REMATCH[1]}"
}

tunnel() {
  connect -f -N -M -S "$directory/s" -o ExitOnForwardFailure=yes \
    -L "127.0.0.1:$local_port:127.0.0.1:$remote_port" "$DEPLOY_HOST"
  env -u SSH_AUTH_SOCK -u SSH_AGENT_PID "$@"
}

for variable in DEPLOY_HOST DEPLOY_KNOWN_HOSTS DEPLOY_SSH_KEY; do
  [[ -n ${!variable:-} ]] || fail "$variable is not set." "export $variable=…"
done
[[ $DEPLOY_HOST != -* ]] ||
  fail "DEPLOY_HOST is an option of ssh." "export DEPLOY_HOST=ssh://USER@HOST"
task=${1:-}
[[ $task == rollout || $task == tunnel ]] ||
  fail "The task '$task' is unknown." "$0 rollout   # or: $0 tunnel COMMAND"
shift

key=$DEPLOY_SSH_KEY
unset DEPLOY_SSH_KEY
umask 077
directory=$(mktemp -d)
printf '%s\n' "$DEPLOY_KNOWN_HOSTS" >"$directory/known_hosts"
eval "$(ssh-agent -s)" >/dev/null
trap close EXIT
printf '%s\n' "$key" | ssh-add -q -
"$task" "$@"
