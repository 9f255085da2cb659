#!/usr/bin/env bash
# Roll out an image of the server on this host: housectl-rollout sha256:DIGEST
#
# Install it as /usr/local/bin/housectl-rollout. It reads two files in /etc/housectl:
#
# - rollout.env: REPOSITORY of the images. ENGINE (docker or podman) and PORT have defaults.
# - server.env: the server's environment variables, such as HOUSECTL_STORE.
#
# With the unit housectl-server.service, systemd runs the container; otherwise the engine does.
# If the new server does not become ready, the last image that did runs again.
set -euo pipefail

settings=${HOUSECTL_SETTINGS:-/etc/housectl}
unit=housectl-server.service
container=housectl-server

fail() {
  echo "error: $1" >&2
  echo "hint: $2" >&2
  exit 1
}

read_image() {
  sed -n 's/^IMAGE=//p' "$settings/$1" 2>/dev/null || true
}

write_image() {
  printf 'IMAGE=%s\n' "$2" >"$settings/$1.new"
  mv "$settings/$1.new" "$settings/$1"
}

restart() {
  write_image image.env "$1"
  if systemctl cat "$unit" >/dev/null 2>&1; then
    systemctl restart "$unit"
  else
    "$ENGINE" rm --force "$container" >/dev/null 2>&1 || true
    "$ENGINE" run --detach --name "$container" --restart unless-stopped \
      --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
      --env-file "$settings/server.env" --publish "127.0.0.1:$PORT:8005" "$1" >/dev/null
  fi
}

is_ready() {
  curl --silent --fail --noproxy '*' --max-time 2 --output /dev/null \
    "http://127.0.0.1:$PORT/health/ready"
}

becomes_ready() {
  for _ in $(seq "$READY_SECONDS"); do
    if is_ready; then return; fi
    sleep 1
  done
  return 1
}

digest=${1:-}
if [[ ! $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
  fail "The digest '${digest:0:80}' is invalid: it is not sha256: and 64 digits." \
    "housectl-rollout sha256:DIGEST"
fi
ENGINE=docker PORT=8005 READY_SECONDS=60
# shellcheck source=/dev/null
source "$settings/rollout.env"
[[ -n ${REPOSITORY:-} ]] || fail "$settings/rollout.env has no REPOSITORY." \
  "echo REPOSITORY=ghcr.io/OWNER/NAME/housectl-server >> $settings/rollout.env"

exec 9>"$settings/rollout.lock"
flock --wait 300 9 || fail "Another rollout has run for five minutes." "ps -ef | grep rollout"

image=$REPOSITORY@$digest
last=$(read_image ready.env)
if [[ $image == "$last" && $image == "$(read_image image.env)" ]] && is_ready; then
  echo "$image runs already."
  exit
fi
"$ENGINE" pull --quiet "$image" >/dev/null || fail "$image cannot be pulled." "$ENGINE pull $image"
# A container process must not inherit the lock.
if restart "$image" 9>&- && becomes_ready; then
  write_image ready.env "$image"
  echo "$image is ready."
  exit
fi
"$ENGINE" logs --tail 20 "$container" >&2 || true
[[ -n $last ]] || fail "$image did not become ready, and there is no earlier image." \
  "$ENGINE logs $container"
if restart "$last" 9>&- && becomes_ready; then
  fail "$image did not become ready; $last runs again." "$ENGINE run --rm $image --help"
fi
fail "$image did not become ready, and neither did $last." "$ENGINE logs $container"
