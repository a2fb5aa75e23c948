#!/bin/sh
# Gradescope runs this once, as root, while it builds the image: installs what the grader stands on,
# and builds the grader. It may use the network here; what is graded later may not.
set -eu
cd "$(dirname "$0")"
chmod 600 assignment.json hidden.txt 2>/dev/null || true # inputs yet to come

have() {
    for program; do
        command -v "$program" >/dev/null || return 1
    done
}

if ! have bwrap cc curl python3; then
    apt-get update
    apt-get install -y --no-install-recommends \
        bubblewrap build-essential ca-certificates curl python3
fi
cd workspace
if ! have cargo; then
    # Where programs that are run as other users can read it.
    export CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup
    version=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
        sh -s -- -y --no-modify-path --profile minimal --default-toolchain "$version"
    PATH=$CARGO_HOME/bin:$PATH
fi
export CARGO_PROFILE_DEV_DEBUG=0 # quicker, and nobody debugs it there
cargo build --locked --package lab
# What students' packages may use: they are built without the network.
cargo fetch --locked --target "$(rustc -vV | sed -n 's/^host: //p')"

# What a starter in Rust stands on is built now, and not for each submission.
lab=$(sed -n 's/.*"lab":"\([^"]*\)".*/\1/p' ../assignment.json)
grader=${CARGO_TARGET_DIR:-target}/debug/lab
starter=$(mktemp -d)
"$grader" new "$lab" "$starter/starter"
"$grader" grade "$lab" "$starter/starter" || true # it has few points
rm -r "$starter"
