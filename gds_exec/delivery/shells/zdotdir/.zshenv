# Read in place of the user's .zshenv, because ZDOTDIR names our directory; from here on it names
# the user's, so that all else is found, and written, where it always was.

# Before the user's aliases and options, which could change the meaning of the hook's words.
source "$ZDOTDIR/../hook.zsh"
if (( ${+GDS_EXEC_ZDOTDIR} )); then
    ZDOTDIR=$GDS_EXEC_ZDOTDIR
    unset GDS_EXEC_ZDOTDIR
else
    unset ZDOTDIR
fi
if [[ -r ${ZDOTDIR-$HOME}/.zshenv ]]; then
    source "${ZDOTDIR-$HOME}/.zshenv"
fi
__gds_exec_install
