# shellcheck shell=bash
# Renews the session of a role shell before each prompt and before each command: bash 3.2 to 5. Until
# __gds_exec_install is called, it only defines functions and finds out how to read the clock.
#
# GDS_EXEC_SHELL is a path whose last part begins with the id of the shell that the GDS_EXEC_* variables
# are for: its children have them too.
#
# GDS_EXEC_PROGRAM is the path of gds-exec. Commands do not see it: the hook keeps it in __gds_exec_program.
#
# A DEBUG trap checks commands, or bash-preexec if the user has that.

__gds_exec_retry_seconds=30
__gds_exec_never=99999999999
__gds_exec_has_said=
__gds_exec_next_try=0
__gds_exec_next_look=0
__gds_exec_put_on=
__gds_exec_set_aside=
__gds_exec_status=
__gds_exec_line=        # 1 when a line is about to run, 2 once its first command is checked
__gds_exec_trap=        # not empty if the DEBUG trap is ours, or we do not need one
__gds_exec_users_trap=
__gds_exec_nothing=

__gds_exec_install() {
    case ${GDS_EXEC_SHELL-} in
        */"$$".*) __gds_exec_stand_last ;;
    esac
}

# A shell that took the place of the role shell does not know the path. It uses PATH, without relative entries.
__gds_exec_find_program() {
    local rest=${PATH-}: directory
    __gds_exec_program=${GDS_EXEC_PROGRAM:-${__gds_exec_program-}}
    export -n __gds_exec_program
    unset -v GDS_EXEC_PROGRAM
    while [ -z "$__gds_exec_program" ] && [ -n "$rest" ]; do
        directory=${rest%%:*} rest=${rest#*:}
        if [ "${directory:0:1}" = / ] && [ -f "$directory/gds-exec" ] && [ -x "$directory/gds-exec" ]; then
            __gds_exec_program=$directory/gds-exec
        fi
    done
}

# The hook is the last of the prompt commands, so that it also marks a prompt that another one builds.
# - It sets the user's options aside first. With functrace (T) on, the user's traps would run inside our
#   functions, and what the DEBUG trap prints would mix with what `trap -p` prints. If Ctrl-C ended the
#   last tick, the options are still set aside.
# - The DEBUG trap runs before a command's words are expanded. It sets __gds_exec_trap if it is ours,
#   and then no process has to read it.
# - `&& :` passes the status on to later commands, but not to `set -e` and the ERR trap, which have
#   seen it already.
# shellcheck disable=SC2178  # PROMPT_COMMAND may be a string or an array
__gds_exec_stand_last() {
    local index=0 text
    # shellcheck disable=SC2016
    local begin='__gds_exec_status=$? __gds_exec_set_aside=${__gds_exec_set_aside:-$-}; \set +aeuvxT'
    # shellcheck disable=SC2016
    local hook="{ $begin; } 2>/dev/null; "'__gds_exec_tick "${__gds_exec_trap:-$(\trap -p DEBUG)}" && :'
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

__gds_exec_tick() { # DEBUG_TRAP, as `trap -p` prints it, or a word if it need not be read
    local new_trap='' __gds_exec_now
    __gds_exec_line=
    # Not before the first prompt: an rc file may start another shell.
    if [ -n "${GDS_EXEC_PROGRAM-}" ] || [ -z "${__gds_exec_program+set}" ]; then
        __gds_exec_find_program
    fi
    if __gds_exec_is_time; then
        __gds_exec_mark_prompt # now, for Ctrl-C at the question ends all this
        __gds_exec_renew
    fi
    __gds_exec_mark_prompt
    __gds_exec_stand_last
    {
        __gds_exec_check_commands "$1"
        __gds_exec_restore_options
        # Last, because the user's own trap is part of it and would see our commands.
        # shellcheck disable=SC2064
        if [ -n "$new_trap" ]; then trap "$new_trap" DEBUG; fi
        return "$__gds_exec_status"
    } 2>/dev/null
}

__gds_exec_check_commands() { # DEBUG_TRAP
    __gds_exec_mark_lines
    if declare -F __bp_preexec_invoke_exec >/dev/null; then
        __gds_exec_trap='of bash-preexec'
        __gds_exec_join_preexec
        return
    fi
    __gds_exec_trap=
    # `set -a` may be on where these are set.
    export -n __gds_exec_trap __gds_exec_line __gds_exec_status __gds_exec_set_aside
    case $1 in
        ours) ;;
        kept) __gds_exec_trap=kept ;;
        *) __gds_exec_write_trap "$1" ;;
    esac
}

# bash expands PS0 after it reads a line and before it runs it, but not for completions and prompts.
# shellcheck disable=SC2016
__gds_exec_mark_lines() {
    local reference='${__gds_exec_nothing:(__gds_exec_line=1):0}'
    PS0=${PS0-}
    PS0=${PS0//"$reference"/}
    if [ "${BASH_VERSINFO[0]}${BASH_VERSINFO[1]}" -ge 44 ] && shopt -q promptvars; then
        PS0=$reference$PS0
    else
        __gds_exec_line=1
    fi
}

__gds_exec_join_preexec() {
    local name
    for name in ${preexec_functions[@]+"${preexec_functions[@]}"}; do
        if [ "$name" = __gds_exec_before_line ]; then return; fi
    done
    preexec_functions=(__gds_exec_before_line ${preexec_functions[@]+"${preexec_functions[@]}"})
}

# Our trap runs before the user's, and leaves $? and $_ as they were. With extdebug, a status other than
# 0 skips the command, so our trap returns 0 if it is the only one. `set -x` does not show our trap.
# shellcheck disable=SC2016
__gds_exec_write_trap() { # DEBUG_TRAP
    if [ "${#FUNCNAME[@]}" -gt 3 ]; then return; fi # a function cannot read the user's trap
    __gds_exec_read_trap "$1" || return
    if [ -n "$__gds_exec_users_trap" ] && [ "${BASH_VERSINFO[0]}${BASH_VERSINFO[1]}" -lt 44 ]; then
        __gds_exec_trap=kept # old bash restores the trap when a function returns
        return
    fi
    case $__gds_exec_users_trap in
        '') new_trap='{ __gds_exec_before_command 0 "$_"; } 2>/dev/null' ;;
        *__gds_exec_before_command*) ;; # the user's functions have restored our trap together with theirs
        *) new_trap='{ __gds_exec_before_command "$?" "$_" && \: "$_"; } 2>/dev/null'$'\n'$__gds_exec_users_trap ;;
    esac
}

# The text is never evaluated. If it is not what bash prints, the trap stays as it is.
__gds_exec_read_trap() { # DEBUG_TRAP
    local quote="'" escaped="'\\''" text=$1
    case $1 in
        '' | 'trap -- - DEBUG') text='' ;; # there is none; the latter in posix mode
        "trap -- '"*"' DEBUG")
            text=${text#"trap -- '"}
            text=${text%"' DEBUG"}
            case ${text//"$escaped"/} in *"$quote"*) return 1 ;; esac
            text=${text//"$escaped"/$quote}
            ;;
        *) return 1 ;;
    esac
    __gds_exec_users_trap=$text
}

# Runs before each simple command, so it is short. Its last argument is $_, which therefore stays the same.
__gds_exec_before_command() { # STATUS LAST_ARGUMENT
    case $BASH_COMMAND in
        __gds_exec_status=*) # the hook begins
            __gds_exec_trap=ours __gds_exec_line=
            return "$1"
            ;;
    esac
    case $__gds_exec_line${COMP_LINE:+c}${READLINE_POINT:+r} in
        1) __gds_exec_line=2 ;;
        2)
            # The user's prompt commands run after the line. Ours is the last of them.
            case ${PROMPT_COMMAND-} in
                "$BASH_COMMAND" | "$BASH_COMMAND"[\;\|\&$'\n']* | "$BASH_COMMAND "[\;\|\&]*)
                    __gds_exec_line=
                    return "$1"
                    ;;
            esac
            ;;
        *) return "$1" ;;
    esac
    local __gds_exec_now
    if __gds_exec_is_time; then __gds_exec_renew_in_line 2>/dev/tty; fi
    return "$1"
}

# Called by bash-preexec.
__gds_exec_before_line() {
    local __gds_exec_now
    if __gds_exec_is_time; then __gds_exec_renew_in_line; fi
    return 0
}

__gds_exec_is_time() {
    __gds_exec_look_at_clock
    __gds_exec_is_due "$__gds_exec_next_try" || __gds_exec_has_news
}

# After Ctrl-C at the question, bash discards the line. If a person declines in another way, the line runs
# with the current variables.
__gds_exec_renew_in_line() {
    { __gds_exec_set_aside=$- && set +aeuvxT; } 2>/dev/null
    __gds_exec_renew
    { __gds_exec_restore_options; } 2>/dev/null
}

__gds_exec_restore_options() {
    local options=$__gds_exec_set_aside option
    __gds_exec_set_aside=
    for option in a e u v T x; do
        case $options in *$option*) set "-$option" ;; esac
    done
}

__gds_exec_is_due() { # NOT_BEFORE
    __gds_exec_is_number "${GDS_EXEC_RENEW_AT-}" && [ "$__gds_exec_now" -ge "$GDS_EXEC_RENEW_AT" ] && [ "$__gds_exec_now" -ge "$1" ]
}

# gds-exec renew creates this file, wherever it is called. The next gds-exec removes it.
__gds_exec_has_news() {
    [ -e "$GDS_EXEC_SHELL.renewed" ] && [ "$__gds_exec_now" -ge "$__gds_exec_next_look" ] &&
        __gds_exec_next_look=$((__gds_exec_now + __gds_exec_retry_seconds))
}

__gds_exec_is_number() {
    case $1 in '' | *[!0-9]*) return 1 ;; esac
}

__gds_exec_renew() {
    local statements
    # First, or a Ctrl-C at the question would lead to the same question at the next prompt.
    __gds_exec_next_try=$((__gds_exec_now + __gds_exec_retry_seconds))
    if [ ! -x "$__gds_exec_program" ]; then
        __gds_exec_say_upgraded # an upgrade may be going on: look again later
    elif statements=$("$__gds_exec_program" shell-renew 1 bash); then
        eval "$statements"
        __gds_exec_next_try=0 __gds_exec_next_look=0
    else
        __gds_exec_heed_status "$?"
    fi
    __gds_exec_seconds=
    __gds_exec_look_at_clock
}

# If gds-exec was upgraded, it has said so (126), or it does not know the subcommand (127).
__gds_exec_heed_status() { # STATUS
    case $1 in
        126) ;;
        127) __gds_exec_say_upgraded ;;
        *) return 0 ;;
    esac
    __gds_exec_next_try=$__gds_exec_never __gds_exec_next_look=$__gds_exec_never
}

__gds_exec_say_upgraded() {
    if [ -z "$__gds_exec_has_said" ]; then
        printf '%s\n' 'gds-exec: gds-exec was upgraded or removed while this shell was open [upgraded]' \
            'hint: leave this shell and open it again' >&2
    fi
    __gds_exec_has_said=1
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
    elif [ "$__gds_exec_now" -ge "$GDS_EXEC_EXPIRES_AT" ]; then
        left=' expired' __gds_exec_colour=31
    elif __gds_exec_is_due 0; then
        left=" $(((GDS_EXEC_EXPIRES_AT - __gds_exec_now + 59) / 60))m" __gds_exec_colour=33
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
    __gds_exec_look_at_clock() {
        __gds_exec_now=${EPOCHSECONDS-} # from bash 5 on: ten times as fast
        if [ -z "$__gds_exec_now" ]; then printf -v __gds_exec_now '%(%s)T' -1; fi
    }
else
    # Before 4.2, but for one at first, where the user has set SECONDS back, and after a renewal.
    __gds_exec_look_at_clock() {
        if [ -z "$__gds_exec_seconds" ] || [ "$SECONDS" -lt "$__gds_exec_seconds" ]; then
            __gds_exec_epoch=$(($(date +%s) - SECONDS))
        fi
        __gds_exec_seconds=$SECONDS
        __gds_exec_now=$((__gds_exec_epoch + SECONDS))
    }
fi
