# Completion of gds-exec's command lines in fish.

set -g __gds_exec_words \
    completions\t'install the completion of your shell' \
    credential-process\t"print a role's session as JSON, for your AWS config" \
    explain\t"show where a role's settings come from" \
    renew\t'renew sessions' \
    roles\t'list the roles' \
    sessions\t'list and clear sessions' \
    shell-init\t'print the hook for your rc file' \
    try\t'start a sandbox AWS to try everything in' \
    whoami\t'show who you are to AWS'

# Whether an option takes the next argument for its value; of a cluster such as -qr, its last letter may.
function __gds_exec_takes_value
    switch $argv[1]
        case --role --duration --art -art --assume-role-ttl --min-remaining --mfa-max-age --region --mfa-code \
                --mfa-token --source-profile --session-name --wait --format --open --service --write-profile \
                --policy --policy-arn --tag --transitive-tag --source-identity --external-id --source \
                --web-identity-token-file --web-identity-token-env --web-identity-token-command --audience \
                --expect-account --timeout
            return 0
    end
    string match -rq '^-[^-ort]*[ort]$' -- $argv[1]
end

# Print the options of a word, or those of running as a role.
function __gds_exec_options -a word
    set -l session \
        --duration\t'how long the session is to last' \
        --mfa-max-age\t'ask for a fresh code where the last one is older' \
        --session-name\t"the role session's name" \
        {--region,-r}\t'the region' \
        --expect-account\t'start only in this account' \
        --timeout\t'how long getting the session may take' \
        --cache\t'keep sessions on disk in CI too' \
        --source-profile\t'the profile whose keys to begin with' \
        --source\t'begin with this kind of source and no other' \
        --web-identity-token-file\t'begin with the OIDC token in this file' \
        --web-identity-token-env\t'begin with the OIDC token in this variable' \
        --web-identity-token-command\t'begin with the OIDC token that this command prints' \
        --audience\t'whom GitHub is to mint its token for'
    set -l start \
        --min-remaining\t'start only with at least this much time left' \
        --new-session\t'ignore the cached role session'
    set -l code \
        {--mfa-code,-t}\t'a code, not asked for then' \
        --no-input\t'never ask' \
        --wait\t'how long to wait for a person' \
        {--quiet,-q}\t'say nothing but errors'
    set -l scope \
        --policy\t'let the session do no more than this policy allows' \
        --policy-arn\t'let it do no more than this managed policy allows' \
        --read-only\t"let it do no more than AWS's ReadOnlyAccess allows" \
        --tag\t'tag the session' \
        --transitive-tag\t'let a tag stay with sessions made from this one' \
        --source-identity\t'who CloudTrail is to say is behind the session' \
        --external-id\t"the external id that the role's trust policy wants" \
        --ci-tags\t'tag the session with what is known of the CI job'
    set -l role \
        --role\t'the role, where its name is also a word'
    set -l pass \
        --pass-id-token\t'let the command ask GitHub for tokens of its own'
    set -l json \
        --json\t'print JSON'
    switch "$word"
        case ''
            printf '%s\n' $session $start $code $scope $role $json $pass \
                --refresh\t"keep the command's session fresh for as long as it runs" \
                {--shell,-s}\t'run your shell as the role' \
                {--export,-e}\t'print the session for eval' \
                --format\t'the format of the export' \
                --write-profile\t'copy the session to this profile of the AWS credentials file' \
                --unset\t'undo an export, or remove a written profile' \
                {--login,-l}\t'open the AWS console as the role' \
                {--open,-o}\t'open this page of the console' \
                --service\t'open the console of this service' \
                --print\t"print the console's sign-in URL" \
                --switch-role\t"print the console's switch-role link" \
                {--describe,-d}\t'describe the role and its session' \
                --names\t'list the names of the roles alone' \
                --csv\t'list the roles as comma-separated values' \
                {--version,-V}\t'show the version'
        case credential-process
            printf '%s\n' $session $start $code $scope $role $pass --refresh\t'keep the session fresh'
        case explain
            printf '%s\n' $session $start $scope $role $json --no-input\t'never ask'
        case renew
            printf '%s\n' $session $code $scope
        case roles
            printf '%s\n' $json --names\t'the names alone' --csv\t'print comma-separated values'
        case sessions
            printf '%s\n' $json
        case whoami
            printf '%s\n' $json --source-profile\t'the profile whose keys to begin with'
    end
    printf '%s\n' --debug\t'say what is done, never what is secret' --help\t'show the help'
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
    switch $argv[1]
        case --duration --art -art --assume-role-ttl --min-remaining --mfa-max-age --timeout --wait
            printf '%s\n' 15m 30m 1h 3h 8h 12h
        case --region '-*r'
            printf '%s\n' af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 \
                ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ca-central-1 ca-west-1 cn-north-1 \
                cn-northwest-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 \
                eu-west-3 il-central-1 me-central-1 me-south-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 \
                us-gov-west-1 us-west-1 us-west-2
        case --role --source-profile
            __gds_exec_roles
        case --format
            printf '%s\n' sh fish powershell cmd dotenv json credential-process ini github-env github-output \
                assume-role-json
        case --source
            printf '%s\n' profile environment web-identity github container instance
        case --policy --web-identity-token-file
            __fish_complete_path $argv[2]
    end
end

function __gds_exec_arguments -a word plain
    switch "$word$plain"
        case ''
            printf '%s\n' $__gds_exec_words
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
            if __gds_exec_takes_value $argument
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
        else if string match -q -- $argument\t'*' $__gds_exec_words
            set word $argument
        else
            set role $argument
        end
    end
    if string match -q -- '--*=*' $current
        set -l option (string split -m 1 = -- $current)
        string replace -r -- '^' "$option[1]=" (__gds_exec_values $option)
    else if string match -q -- '-*' $current
        __gds_exec_options $word
    else if set -q role[1]
        __gds_exec_hand_over
    else
        __gds_exec_arguments "$word" "$plain"
    end
end

complete -c gds-exec -f -k -a '(__gds_exec_complete)'
