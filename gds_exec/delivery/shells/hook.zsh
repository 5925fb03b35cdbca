# Renews the session of a role shell before each prompt and before it runs a line. It only defines
# functions until __gds_exec_install is called.
#
# GDS_EXEC_SHELL is a path whose last part begins with the id of the shell that the GDS_EXEC_* variables
# are for: its children have them too.
#
# GDS_EXEC_PROGRAM is the path of gds-exec. Commands do not see it: the hook keeps it in __gds_exec_program.

typeset -gi __gds_exec_retry_seconds=30
typeset -gi __gds_exec_never=99999999999
typeset -gi __gds_exec_has_said=0
typeset -gi __gds_exec_next_try=0
typeset -gi __gds_exec_next_look=0
typeset -g __gds_exec_put_on=

# An rc file that is read after this may assign precmd_functions: the first prompt is late enough.
function __gds_exec_install {
    if [[ ${GDS_EXEC_SHELL-} == */$$.* ]] && zmodload zsh/datetime zsh/sched; then
        sched +0 __gds_exec_tick
    fi
}

# Ours is the last before a prompt, so that it also marks a prompt that another function builds. It is
# the first before a line, so that the user's own functions find fresh variables and their own prompt.
function __gds_exec_stand_last {
    emulate -L zsh
    typeset -ga precmd_functions=(${precmd_functions:#__gds_exec_tick} __gds_exec_tick)
    typeset -ga preexec_functions=(__gds_exec_before_line ${preexec_functions:#__gds_exec_before_line})
}

function __gds_exec_tick {
    setopt local_options local_traps no_verbose no_xtrace
    trap - DEBUG ZERR
    local read_by=
    [[ ! -o prompt_percent ]] || read_by+=%
    [[ ! -o prompt_bang ]] || read_by+=!
    [[ ! -o prompt_subst ]] || read_by+=\$
    emulate -L zsh
    # Not before the first prompt: an rc file may start another shell.
    if [[ ${+__gds_exec_program} -eq 0 || -n ${GDS_EXEC_PROGRAM-} ]]; then
        __gds_exec_find_program
    fi
    __gds_exec_stand_last # before a question too: at Ctrl-C the first tick would have been the only one
    if __gds_exec_is_time; then
        __gds_exec_mark $read_by # now, for Ctrl-C at the question ends all this
        __gds_exec_renew
    fi
    __gds_exec_mark $read_by
}

# A shell that took the place of the role shell does not know the path. It uses PATH, without relative entries.
function __gds_exec_find_program {
    local directory
    typeset -g +x __gds_exec_program=${GDS_EXEC_PROGRAM-}
    unset GDS_EXEC_PROGRAM
    for directory in ${(M)path:#/*}; do
        if [[ -z $__gds_exec_program && -f $directory/gds-exec && -x $directory/gds-exec ]]; then
            __gds_exec_program=$directory/gds-exec
        fi
    done
}

# After Ctrl-C at the question, zsh discards the line. If a person declines in another way, the line runs
# with the current variables.
function __gds_exec_before_line {
    setopt local_options local_traps no_verbose no_xtrace
    trap - DEBUG ZERR
    emulate -L zsh
    # While a command runs the prompt is the user's own: it may be read, saved or built upon.
    PROMPT=${PROMPT#"$__gds_exec_put_on"}
    __gds_exec_put_on=
    __gds_exec_stand_last
    if __gds_exec_is_time; then
        __gds_exec_renew
    fi
}

function __gds_exec_is_time {
    __gds_exec_is_due $__gds_exec_next_try || __gds_exec_has_news
}

function __gds_exec_is_due { # NOT_BEFORE
    [[ ${GDS_EXEC_RENEW_AT-} == <-> ]] && (( EPOCHSECONDS >= GDS_EXEC_RENEW_AT && EPOCHSECONDS >= $1 ))
}

# gds-exec renew creates this file, wherever it is called. The next gds-exec removes it.
function __gds_exec_has_news {
    [[ -e $GDS_EXEC_SHELL.renewed ]] && (( EPOCHSECONDS >= __gds_exec_next_look )) || return 1
    __gds_exec_next_look=$(( EPOCHSECONDS + __gds_exec_retry_seconds ))
}

function __gds_exec_renew {
    local statements
    # First, or a Ctrl-C at the question would lead to the same question at the next prompt.
    __gds_exec_next_try=$(( EPOCHSECONDS + __gds_exec_retry_seconds ))
    if [[ ! -x $__gds_exec_program ]]; then
        __gds_exec_say_upgraded # an upgrade may be going on: look again later
    elif statements=$("$__gds_exec_program" shell-renew 1 zsh); then
        eval "$statements"
        __gds_exec_next_try=0 __gds_exec_next_look=0
    else
        __gds_exec_heed_status $?
    fi
}

# If gds-exec was upgraded, it has said so (126), or it does not know the subcommand (127).
function __gds_exec_heed_status { # STATUS
    case $1 in
        126) ;;
        127) __gds_exec_say_upgraded ;;
        *) return 0 ;;
    esac
    __gds_exec_next_try=$__gds_exec_never __gds_exec_next_look=$__gds_exec_never
}

function __gds_exec_say_upgraded {
    if (( ! __gds_exec_has_said )); then
        print -r -- 'gds-exec: gds-exec was upgraded or removed while this shell was open [upgraded]' >&2
        print -r -- 'hint: leave this shell and open it again' >&2
    fi
    __gds_exec_has_said=1
}

function __gds_exec_mark { # CHARACTERS, those by which zsh knows what to expand in a prompt
    local left= colour=green marker
    __gds_exec_measure_time_left
    marker="(${GDS_EXEC_PROMPT-}$left) "
    __gds_exec_quote $1
    if [[ $1 == *%* && -z ${NO_COLOR-} && ${TERM:-dumb} != dumb ]]; then
        marker="%F{$colour}$marker%f"
    fi
    PROMPT=$marker${PROMPT#"$__gds_exec_put_on"}
    __gds_exec_put_on=$marker
}

function __gds_exec_measure_time_left {
    if [[ ${GDS_EXEC_EXPIRES_AT-} != <-> ]]; then
        return 0
    elif (( EPOCHSECONDS >= GDS_EXEC_EXPIRES_AT )); then
        left=' expired' colour=red
    elif __gds_exec_is_due 0; then
        left=" $(( (GDS_EXEC_EXPIRES_AT - EPOCHSECONDS + 59) / 60 ))m" colour=yellow
    fi
}

function __gds_exec_quote { # CHARACTERS
    setopt local_options extended_glob
    local MATCH MBEGIN MEND
    [[ $1 != *\$* ]] || marker=${marker//(#m)[\\\$\`]/\\$MATCH}
    [[ $1 != *%* ]] || marker=${marker//\%/%%}
    [[ $1 != *!* ]] || marker=${marker//\!/!!}
}
