# Completion of gds-exec's command lines in fish.

# From gds_exec/options.py, by `python -m tests.completions`:
set -g __gds_exec_subcommands \
    'completions|print or install the completion of your shell' \
    'credential-process|print a role\'s session as JSON, for your AWS config' \
    'explain|show where a role\'s settings come from' \
    'renew|renew sessions' \
    'roles|list the roles' \
    'sessions|list and clear sessions' \
    'shell-init|print the hook for your rc file' \
    'try|start a sandbox AWS to try everything in' \
    'whoami|show who you are to AWS'
set -g __gds_exec_options \
    '--duration|run,credential-process,explain,renew|durations|Session length, such as 8h, 180m or 3600' \
    '--art||durations|' \
    '-art||durations|' \
    '--assume-role-ttl||durations|' \
    '--min-remaining|run,credential-process,explain|durations|Least time left at the start; else renew, or fail' \
    '--mfa-max-age|run,credential-process,explain,renew|durations|Ask for a new code if the last one is older' \
    '--refresh|run,credential-process|-|Keep the session fresh while the command runs' \
    '--new-session|run,credential-process,explain|-|Ignore the cached role session' \
    '--session-name|run,credential-process,explain,renew|any|Role session name, in place of one made up' \
    '--region|run,credential-process,explain,renew|regions|Region of the command' \
    '-r|run,credential-process,explain,renew|regions|Region of the command' \
    '--expect-account|run,credential-process,explain,renew|any|Start only in this account' \
    '--timeout|run,credential-process,explain,renew|durations|Longest time to get the session, questions included' \
    '--cache|run,credential-process,explain,renew|-|Keep sessions on disk in CI too' \
    '--source-profile|run,credential-process,explain,renew,whoami|roles|Profile whose keys to begin with' \
    '--source|run,credential-process,explain,renew|sources|Begin with this and nothing else: profile, environment, web-identity, github, container, instance' \
    '--web-identity-token-file|run,credential-process,explain,renew|files|Begin with the OIDC token in this file' \
    '--web-identity-token-env|run,credential-process,explain,renew|any|Begin with the OIDC token in this variable' \
    '--web-identity-token-command|run,credential-process,explain,renew|any|Begin with the OIDC token that this command prints' \
    '--audience|run,credential-process,explain,renew|any|Audience for the GitHub token' \
    '--pass-id-token|run,credential-process|-|Let the command ask GitHub for tokens of its own' \
    '--policy|run,credential-process,explain,renew|files|Session policy, as a file or JSON' \
    '--policy-arn|run,credential-process,explain,renew|any|Managed session policy; may be repeated' \
    '--read-only|run,credential-process,explain,renew|-|Allow only what AWS\'s ReadOnlyAccess allows' \
    '--tag|run,credential-process,explain,renew|any|Session tag; may be repeated' \
    '--transitive-tag|run,credential-process,explain,renew|any|Tag that sessions made from this one keep; may be repeated' \
    '--source-identity|run,credential-process,explain,renew|any|Person that CloudTrail shows behind the session' \
    '--external-id|run,credential-process,explain,renew|any|External id that the role\'s trust policy wants' \
    '--ci-tags|run,credential-process,explain,renew|-|Tag the session with what is known of the CI job' \
    '--mfa-code|run,credential-process,renew|any|MFA code, in place of a question for it' \
    '-t|run,credential-process,renew|any|MFA code, in place of a question for it' \
    '--mfa-token||any|' \
    '--no-input|run,credential-process,explain,renew|-|Never ask; fail at once with 124' \
    '--wait|run,credential-process,renew|durations|Longest wait for a person\'s answer (5m if not given)' \
    '--quiet|run,credential-process,renew|-|Only print errors' \
    '-q|run,credential-process,renew|-|Only print errors' \
    '--role|run,credential-process,explain|roles|Role whose name is also a subcommand' \
    '--shell|run|-|Run your shell as the role' \
    '-s|run|-|Run your shell as the role' \
    '--export|run|-|Print the session for `eval $(gds-exec ROLE -e)`' \
    '-e|run|-|Print the session for `eval $(gds-exec ROLE -e)`' \
    '--format|run|formats|Format of the export: sh, fish, powershell, cmd, dotenv, json, credential-process, ini, github-env, github-output or assume-role-json' \
    '--write-profile|run|any|Copy the session to this profile of the AWS credentials file' \
    '--unset|run|-|Undo an export: `eval $(gds-exec --unset)`; or remove what --write-profile NAME wrote' \
    '--login|run|-|Open the AWS console as the role' \
    '-l|run|-|Open the AWS console as the role' \
    '--open|run|any|Open this page of the console' \
    '-o|run|any|Open this page of the console' \
    '--service|run|any|Open the console of this service, such as s3' \
    '--print|run|-|Print the console\'s sign-in URL: a secret, for 15 min' \
    '--switch-role|run|-|Print the console\'s switch-role link, which needs no session' \
    '--describe|run|-|Describe the role and its session, offline' \
    '-d|run|-|Describe the role and its session, offline' \
    '--names|run,roles|-|List only the roles\' names' \
    '--csv|run,roles|-|List the roles as CSV, with a header' \
    '--json|run,explain,roles,sessions,whoami|-|Print JSON' \
    '--skip-ip-range-checks||-|' \
    '--debug|run,completions,credential-process,explain,renew,roles,sessions,shell-init,try,whoami|-|Print what is done, without secrets' \
    '--version|run|-|Print the version' \
    '-V|run|-|Print the version'
set -g __gds_exec_formats \
    'sh' \
    'fish' \
    'powershell' \
    'cmd' \
    'dotenv' \
    'json' \
    'credential-process' \
    'ini' \
    'github-env' \
    'github-output' \
    'assume-role-json'
set -g __gds_exec_sources \
    'profile' \
    'environment' \
    'web-identity' \
    'github' \
    'container' \
    'instance'
set -g __gds_exec_letters rto
# Written by hand again:

# Print the kind of value that an option takes; fail if it takes none. Of a cluster such as -qr, the last
# letter may take one.
function __gds_exec_kind_of
    for row in $__gds_exec_options
        set -l parts (string split '|' -- $row)
        if test "$parts[1]" = "$argv[1]"
            test "$parts[3]" != -; and echo $parts[3]
            return
        end
    end
    set -l cluster (string match -r -- "^-[^-$__gds_exec_letters]*([$__gds_exec_letters])\$" $argv[1])
    and __gds_exec_kind_of -$cluster[2]
end

# Print the options of a subcommand, or those of running as a role, each with its help.
function __gds_exec_print_options -a word
    test -n "$word"; or set word run
    for row in $__gds_exec_options
        set -l parts (string split '|' -- $row)
        contains -- $word (string split , -- $parts[2]); and echo $parts[1]\t$parts[4]
    end
    echo --help\t'Show the help'
end

# Print the path of one of AWS's files: the caller's own, where a role shell has one in its place.
function __gds_exec_file -a name default
    set -l replacement GDS_EXEC_ROLE_$name
    if set -q $replacement; and test "$$name" = "$$replacement"
        set name GDS_EXEC_CALLER_$name
    end
    set -l file (string trim -rc / -- $HOME)/.aws/$default
    set -q $name; and set file $$name
    test -e "$file"; and echo -n $file
    echo
end

# Whether the list that gds-exec left is of these files as they are now.
function __gds_exec_is_fresh -a names
    test -f $names; and test -O $names; and read -l header <$names; or return 1
    set -l config (__gds_exec_file AWS_CONFIG_FILE config)
    set -l credentials (__gds_exec_file AWS_SHARED_CREDENTIALS_FILE credentials)
    test "$header" = "# gds-exec names 1"\t"$config"\t"$credentials"; or return 1
    for file in $config $credentials
        test -z "$file"; or test $names -nt "$file"; or return 1
    end
end

# Print the roles, each with what it is. Names are data: fish quotes what is chosen.
function __gds_exec_roles
    set -l cache $HOME/.cache
    string match -q '/*' -- "$XDG_CACHE_HOME"; and set cache $XDG_CACHE_HOME
    test -n "$GDS_EXEC_CACHE_DIR"; and set cache $GDS_EXEC_CACHE_DIR
    set -l names $cache/gds-exec/names
    if __gds_exec_is_fresh $names
        string match -rv '^# gds-exec names 1\t' <$names
    else if command -q gds-exec
        command gds-exec roles --names 2>/dev/null </dev/null
    end
end

function __gds_exec_values
    switch (__gds_exec_kind_of $argv[1])
        case durations
            printf '%s\n' 15m 30m 1h 3h 8h 12h
        case regions
            printf '%s\n' af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 \
                ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ca-central-1 ca-west-1 cn-north-1 \
                cn-northwest-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 \
                eu-west-3 il-central-1 me-central-1 me-south-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 \
                us-gov-west-1 us-west-1 us-west-2
        case roles
            __gds_exec_roles
        case formats
            printf '%s\n' $__gds_exec_formats
        case sources
            printf '%s\n' $__gds_exec_sources
        case files
            __fish_complete_path $argv[2]
    end
end

function __gds_exec_arguments -a word plain
    switch "$word$plain"
        case ''
            string replace '|' \t $__gds_exec_subcommands
            __gds_exec_roles
        case credential-process explain 'renew*' 'sessions clear'
            __gds_exec_roles
        case sessions
            echo clear
        case shell-init 'completions install'
            printf '%s\n' bash zsh fish
        case completions
            printf '%s\n' install bash zsh fish
        case try
            echo code
            __gds_exec_hand_over
    end
end

# Print what the command's own completion offers, as if gds-exec and all before the command were not there.
function __gds_exec_hand_over
    complete -C (string join ' ' -- (string escape -- $argv) (commandline -ct))
end

# Read the arguments before the one to complete, as gds-exec does, and print what may stand in its place.
function __gds_exec_complete
    set -l arguments (commandline -opc)[2..-1]
    set -l current (commandline -ct)
    set -l role
    set -l word
    set -l plain
    while set -q arguments[1]
        set -l argument $arguments[1]
        set -e arguments[1]
        if test "$argument" = --
            __gds_exec_hand_over $arguments
            return
        else if string match -q -- '-?*' $argument
            if __gds_exec_kind_of $argument >/dev/null
                if not set -q arguments[1]
                    __gds_exec_values $argument $current
                    return
                end
                test "$argument" = --role; and test -z "$word"; and set role $arguments[1]
                set -e arguments[1]
            else
                string match -q -- '--role=?*' $argument; and set role $argument
            end
        else if set -q role[1]; or begin
                test "$word" = try; and test "$plain$argument" != code
            end
            __gds_exec_hand_over $argument $arguments
            return
        else if set -q word[1]
            set plain "$plain $argument"
        else if string match -q -- $argument'|*' $__gds_exec_subcommands
            set word $argument
        else
            set role $argument
        end
    end
    if string match -q -- '--*=*' $current
        set -l option (string split -m 1 = -- $current)
        string replace -r -- '^' "$option[1]=" (__gds_exec_values $option)
    else if string match -q -- '-*' $current
        __gds_exec_print_options $word
    else if set -q role[1]
        __gds_exec_hand_over
    else
        __gds_exec_arguments "$word" "$plain"
    end
end

complete -c gds-exec -f -k -a '(__gds_exec_complete)'
