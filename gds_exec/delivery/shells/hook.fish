# Renews the session of a role shell before each prompt and before it runs a line. It only defines
# functions until __gds_exec_install is called.
#
# GDS_EXEC_SHELL is a path whose last part begins with the id of the shell that the GDS_EXEC_* variables
# are for: its children have them too.
#
# GDS_EXEC_PROGRAM is the path of gds-exec. Commands do not see it: the hook keeps it in __gds_exec_program.

set -g __gds_exec_retry_seconds 30
set -g __gds_exec_never 99999999999
set -g __gds_exec_has_said 0
set -g __gds_exec_next_try 0
set -g __gds_exec_next_look 0
set -g __gds_exec_marker
set -g __gds_exec_wrapper 'the marker of the role, and the prompt'

function __gds_exec_install
    if string match --quiet -- "*/$fish_pid.*" "$GDS_EXEC_SHELL"
        __gds_exec_stand_last
        # While a command runs the prompt is the user's own: it may be read, saved or built upon.
        function __gds_exec_leave --on-event fish_preexec
            __gds_exec_unwrap_prompt
            __gds_exec_stand_last
            # fish always runs the line, even after Ctrl-C at the question. The line then has the
            # current variables.
            if __gds_exec_is_time
                __gds_exec_renew
            end
        end
    end
end

# A shell that took the place of the role shell does not know the path. It uses PATH, without relative entries.
function __gds_exec_find_program
    if test -n "$GDS_EXEC_PROGRAM"
        set -gu __gds_exec_program $GDS_EXEC_PROGRAM
    else if not set -q __gds_exec_program
        set -gu __gds_exec_program (string match '/*' -- (builtin command --all --search gds-exec))[1]
    end
    set -e GDS_EXEC_PROGRAM
end

# The handler that is defined last runs last: a prompt that another one builds is to be marked too.
function __gds_exec_stand_last
    function __gds_exec_tick --on-event fish_prompt
        __gds_exec_find_program # not before the first prompt: config.fish may start another shell
        if __gds_exec_is_time
            __gds_exec_mark # now, for Ctrl-C at the question ends all this
            __gds_exec_renew
        end
        __gds_exec_mark
    end
end

# fish has no clock but the age of a file, which `path`, unlike date, tells without a process.
function __gds_exec_now
    builtin math (builtin path mtime /) + (builtin path mtime --relative /)
end

function __gds_exec_is_time
    __gds_exec_is_due $__gds_exec_next_try; or __gds_exec_has_news
end

function __gds_exec_is_due --argument-names not_before
    set -l now (__gds_exec_now)
    __gds_exec_is_number "$GDS_EXEC_RENEW_AT"
    and test $now -ge $GDS_EXEC_RENEW_AT
    and test $now -ge $not_before
end

# gds-exec renew creates this file, wherever it is called. The next gds-exec removes it.
function __gds_exec_has_news
    test -e "$GDS_EXEC_SHELL.renewed"
    and test (__gds_exec_now) -ge $__gds_exec_next_look
    and set -g __gds_exec_next_look (builtin math (__gds_exec_now) + $__gds_exec_retry_seconds)
end

function __gds_exec_is_number --argument-names text
    string match --quiet --regex '^[0-9]+$' -- $text
end

function __gds_exec_renew
    # First, or a Ctrl-C at the question would lead to the same question at the next prompt.
    set -g __gds_exec_next_try (builtin math (__gds_exec_now) + $__gds_exec_retry_seconds)
    if not test -x "$__gds_exec_program"
        __gds_exec_say_upgraded # an upgrade may be going on: look again later
    else if set -l statements ($__gds_exec_program shell-renew 1 fish)
        string join \n -- $statements | builtin source
        set -g __gds_exec_next_try 0
        set -g __gds_exec_next_look 0
    else
        __gds_exec_heed_status $status
    end
end

# If gds-exec was upgraded, it has said so (126), or it does not know the subcommand (127).
function __gds_exec_heed_status --argument-names code
    switch $code
        case 126
        case 127
            __gds_exec_say_upgraded
        case '*'
            return 0
    end
    set -g __gds_exec_next_try $__gds_exec_never
    set -g __gds_exec_next_look $__gds_exec_never
end

function __gds_exec_say_upgraded
    if test $__gds_exec_has_said -eq 0
        builtin printf '%s\n' 'gds-exec: gds-exec was upgraded or removed while this shell was open [upgraded]' \
            'hint: leave this shell and open it again' >&2
    end
    set -g __gds_exec_has_said 1
end

function __gds_exec_mark
    set -g __gds_exec_marker (__gds_exec_colour_and_text | string collect)
    __gds_exec_wrap_prompt
end

function __gds_exec_colour_and_text
    set -l left (__gds_exec_time_left)
    set -l text "($(string join ' ' -- $GDS_EXEC_PROMPT $left)) "
    if test -n "$NO_COLOR"; or builtin contains -- "$TERM" '' dumb
        builtin printf %s $text
        return
    end
    switch "$left"
        case ''
            builtin set_color green
        case expired
            builtin set_color red
        case '*'
            builtin set_color yellow
    end
    builtin printf %s $text
    builtin set_color normal
end

function __gds_exec_time_left
    __gds_exec_is_number "$GDS_EXEC_EXPIRES_AT"; or return 0
    set -l seconds (builtin math $GDS_EXEC_EXPIRES_AT - (__gds_exec_now))
    if test $seconds -le 0
        builtin printf expired
    else if __gds_exec_is_due 0
        builtin printf %sm (builtin math "floor(($seconds + 59) / 60)")
    end
end

function __gds_exec_wrap_prompt
    builtin functions --query fish_prompt; and not __gds_exec_is_wrapped; or return 0
    builtin functions --erase __gds_exec_users_prompt
    builtin functions --copy fish_prompt __gds_exec_users_prompt
    function fish_prompt --description $__gds_exec_wrapper
        # The user's first, which may look at $status and $pipestatus.
        set -l lines (__gds_exec_users_prompt)
        string join \n -- "$__gds_exec_marker$lines[1]" $lines[2..]
    end
end

function __gds_exec_unwrap_prompt
    __gds_exec_is_wrapped; or return 0
    builtin functions --erase fish_prompt
    builtin functions --copy __gds_exec_users_prompt fish_prompt
end

function __gds_exec_is_wrapped
    set -l details (builtin functions --details --verbose fish_prompt)
    test "$details[5]" = $__gds_exec_wrapper
end
