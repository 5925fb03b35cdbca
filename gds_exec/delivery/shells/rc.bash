# shellcheck shell=bash source-path=SCRIPTDIR
# Read by `bash --rcfile` in place of ~/.bashrc. The system's own file, where this bash has one, it
# has read already.

# Before the user's aliases, which could change the meaning of the hook's words.
# shellcheck source=hook.bash
. "${BASH_SOURCE[0]%/*}/hook.bash"
if [ -r ~/.bashrc ]; then
    # shellcheck source=/dev/null
    . ~/.bashrc
fi
\__gds_exec_install
