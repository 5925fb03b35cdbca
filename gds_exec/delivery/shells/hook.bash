# shellcheck shell=bash
# What a role shell does before each prompt: bash 3.2 to 5. It only defines functions, apart from
# finding out how to tell the time, until __gds_exec_install is called.
#
# GDS_EXEC_SHELL is a path whose last part begins with the id of the shell that the GDS_EXEC_* variables
# are for: its children have them too.

__gds_exec_retry_seconds=30
__gds_exec_next_try=0
__gds_exec_put_on=
__gds_exec_set_aside=

__gds_exec_install() {
    case ${GDS_EXEC_SHELL-} in
        */"$$".*) __gds_exec_stand_last ;;
    esac
}

# Runs last, for a prompt that PROMPT_COMMAND builds is to be marked too. `&& :` keeps the status for
# what may come after us, and keeps it from `set -e` and the trap ERR, which have seen it already.
# shellcheck disable=SC2178  # it may be a string, or in its first element as good as one
__gds_exec_stand_last() {
    local hook='__gds_exec_tick && :' index=0 text
    if [ "${BASH_VERSINFO[0]}${BASH_VERSINFO[1]}" -ge 51 ] && [ -n "${PROMPT_COMMAND[1]+set}" ]; then
        index=$((${#PROMPT_COMMAND[@]} - 1))
    fi
    text=${PROMPT_COMMAND[index]-}
    case $text in
        *"$hook" | *"$hook"$'\n'__bp_interactive_mode) return ;;
        # bash-preexec takes what is run after this for a command of the user's.
        *__bp_interactive_mode) text=${text%__bp_interactive_mode}$hook$'\n'__bp_interactive_mode ;;
        *) text=${text:+$text$'\n'}$hook ;;
    esac
    if [ "$index" -eq 0 ]; then
        PROMPT_COMMAND=$text
    else
        PROMPT_COMMAND[index]=$text
    fi
}

__gds_exec_tick() {
    # If Ctrl-C ended the last tick before its end, the user's options are still set aside.
    local status=$? now
    __gds_exec_set_aside=${__gds_exec_set_aside:-$-}
    { set +aeuvxT; } 2>/dev/null
    __gds_exec_look_at_clock
    if __gds_exec_is_due "$__gds_exec_next_try" || __gds_exec_has_news; then
        __gds_exec_mark_prompt # now, for Ctrl-C at the question ends all this
        __gds_exec_renew
    fi
    __gds_exec_mark_prompt
    __gds_exec_stand_last
    {
        __gds_exec_restore_options
        return "$status"
    } 2>/dev/null
}

__gds_exec_restore_options() {
    local options=$__gds_exec_set_aside option
    __gds_exec_set_aside=
    for option in a e u v T x; do
        case $options in *$option*) set "-$option" ;; esac
    done
}

__gds_exec_is_due() { # NOT_BEFORE
    __gds_exec_is_number "${GDS_EXEC_RENEW_AT-}" && [ "$now" -ge "$GDS_EXEC_RENEW_AT" ] && [ "$now" -ge "$1" ]
}

# gds-exec renew leaves word there, from wherever it is called.
__gds_exec_has_news() {
    [ -e "$GDS_EXEC_SHELL.renewed" ] && [ "$now" -ge "$__gds_exec_next_try" ]
}

__gds_exec_is_number() {
    case $1 in '' | *[!0-9]*) return 1 ;; esac
}

__gds_exec_renew() {
    local statements
    # First, or a Ctrl-C at the question would lead to the same question at the next prompt.
    __gds_exec_next_try=$((now + __gds_exec_retry_seconds))
    if statements=$("$GDS_EXEC_PROGRAM" shell-renew bash); then
        eval "$statements"
        __gds_exec_next_try=0
    fi
    __gds_exec_seconds=
    __gds_exec_look_at_clock
}

# The marker is no part of PS1, where it would be expanded, but of a variable that PS1 refers to.
# shellcheck disable=SC2016
__gds_exec_mark_prompt() {
    local left='' reference='\[${__gds_exec_colour-}\]${__gds_exec_marker-}\[${__gds_exec_plain-}\]'
    __gds_exec_colour=32
    __gds_exec_measure_time_left
    __gds_exec_marker="(${GDS_EXEC_PROMPT-}$left) "
    __gds_exec_choose_colours
    if ! shopt -q promptvars; then
        reference=${__gds_exec_marker//\\/\\\\}
    fi
    # Anywhere, not only in front: others put something before what they find.
    PS1=${PS1-}
    PS1=$reference${PS1//"$__gds_exec_put_on"/}
    __gds_exec_put_on=$reference
}

__gds_exec_measure_time_left() {
    if ! __gds_exec_is_number "${GDS_EXEC_EXPIRES_AT-}"; then
        return
    elif [ "$now" -ge "$GDS_EXEC_EXPIRES_AT" ]; then
        left=' expired' __gds_exec_colour=31
    elif __gds_exec_is_due 0; then
        left=" $(((GDS_EXEC_EXPIRES_AT - now + 59) / 60))m" __gds_exec_colour=33
    fi
}

__gds_exec_choose_colours() {
    if [ -n "${NO_COLOR-}" ] || [ "${TERM:-dumb}" = dumb ]; then
        __gds_exec_colour='' __gds_exec_plain=''
    else
        __gds_exec_colour=$'\e['${__gds_exec_colour}m __gds_exec_plain=$'\e[0m'
    fi
}

# No process is started to know the time.
__gds_exec_seconds=
if printf -v __gds_exec_seconds '%(%s)T' -1 2>/dev/null; then
    __gds_exec_look_at_clock() { printf -v now '%(%s)T' -1; }
else
    # Before 4.2, but for one at first, where the user has set SECONDS back, and after a renewal.
    __gds_exec_look_at_clock() {
        if [ -z "$__gds_exec_seconds" ] || [ "$SECONDS" -lt "$__gds_exec_seconds" ]; then
            __gds_exec_epoch=$(($(date +%s) - SECONDS))
        fi
        __gds_exec_seconds=$SECONDS
        now=$((__gds_exec_epoch + SECONDS))
    }
fi
