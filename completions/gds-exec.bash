# Completion of gds-exec's command lines in bash, 3.2 or later; bash-completion is used where it is loaded.

# From gds_exec/options.py, by `python -m tests.completions`:
__gds_exec_subcommands=(
    'completions'
    'credential-process'
    'explain'
    'renew'
    'roles'
    'sessions'
    'shell-init'
    'try'
    'whoami'
)
__gds_exec_options=(
    '--duration|run,credential-process,explain,renew|durations'
    '--art||durations'
    '-art||durations'
    '--assume-role-ttl||durations'
    '--min-remaining|run,credential-process,explain|durations'
    '--mfa-max-age|run,credential-process,explain,renew|durations'
    '--refresh|run,credential-process|-'
    '--new-session|run,credential-process,explain|-'
    '--session-name|run,credential-process,explain,renew|any'
    '--region|run,credential-process,explain,renew|regions'
    '-r|run,credential-process,explain,renew|regions'
    '--expect-account|run,credential-process,explain,renew|any'
    '--timeout|run,credential-process,explain,renew|durations'
    '--cache|run,credential-process,explain,renew|-'
    '--source-profile|run,credential-process,explain,renew,whoami|roles'
    '--source|run,credential-process,explain,renew|sources'
    '--web-identity-token-file|run,credential-process,explain,renew|files'
    '--web-identity-token-env|run,credential-process,explain,renew|any'
    '--web-identity-token-command|run,credential-process,explain,renew|any'
    '--audience|run,credential-process,explain,renew|any'
    '--pass-id-token|run,credential-process|-'
    '--policy|run,credential-process,explain,renew|files'
    '--policy-arn|run,credential-process,explain,renew|any'
    '--read-only|run,credential-process,explain,renew|-'
    '--tag|run,credential-process,explain,renew|any'
    '--transitive-tag|run,credential-process,explain,renew|any'
    '--source-identity|run,credential-process,explain,renew|any'
    '--external-id|run,credential-process,explain,renew|any'
    '--ci-tags|run,credential-process,explain,renew|-'
    '--mfa-code|run,credential-process,renew|any'
    '-t|run,credential-process,renew|any'
    '--mfa-token||any'
    '--no-input|run,credential-process,explain,renew|-'
    '--wait|run,credential-process,renew|durations'
    '--quiet|run,credential-process,renew|-'
    '-q|run,credential-process,renew|-'
    '--role|run,credential-process,explain|roles'
    '--shell|run|-'
    '-s|run|-'
    '--export|run|-'
    '-e|run|-'
    '--format|run|formats'
    '--write-profile|run|any'
    '--unset|run|-'
    '--login|run|-'
    '-l|run|-'
    '--open|run|any'
    '-o|run|any'
    '--service|run|any'
    '--print|run|-'
    '--switch-role|run|-'
    '--describe|run|-'
    '-d|run|-'
    '--names|run,roles|-'
    '--csv|run,roles|-'
    '--json|run,explain,roles,sessions,whoami|-'
    '--skip-ip-range-checks||-'
    '--debug|run,completions,credential-process,explain,renew,roles,sessions,shell-init,try,whoami|-'
    '--version|run|-'
    '-V|run|-'
)
__gds_exec_formats=(
    'sh'
    'fish'
    'powershell'
    'cmd'
    'dotenv'
    'json'
    'credential-process'
    'ini'
    'github-env'
    'github-output'
    'assume-role-json'
)
__gds_exec_sources=(
    'profile'
    'environment'
    'web-identity'
    'github'
    'container'
    'instance'
)
__gds_exec_letters=rto
# Written by hand again:

# Put the kind of value that an option takes into `kind`; fail if it takes none. Of a cluster such as -qr, the
# last letter may take one.
__gds_exec_kind_of() {
    local row cluster="^-[^-$__gds_exec_letters]*([$__gds_exec_letters])\$"
    for row in "${__gds_exec_options[@]}"; do
        if [[ $row == "$1|"* ]]; then
            kind=${row##*|}
            [[ $kind != - ]]
            return
        fi
    done
    [[ $1 =~ $cluster ]] && __gds_exec_kind_of "-${BASH_REMATCH[1]}"
}

__gds_exec_offer_options() {
    local row name subcommands
    for row in "${__gds_exec_options[@]}"; do
        IFS='|' read -r name subcommands _ <<<"$row"
        [[ ,$subcommands, == *",${word:-run},"* ]] && __gds_exec_offer "$name"
    done
    __gds_exec_offer --help
}

# The arguments again, which bash splits at `=` and `:`; `starts` says at which of bash's words each begins.
__gds_exec_join() {
    local i piece rest=$COMP_LINE blank='^[[:space:]]'
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $rest =~ $blank ]]; then
            joined[${#joined[@]}]=$piece
            starts[${#starts[@]}]=$i
        else
            joined[${#joined[@]} - 1]+=$piece
        fi
        rest=${rest#*"$piece"}
    done
}

# Read the arguments before the one to complete, as gds-exec does: what they are, and what is wanted next.
__gds_exec_read() {
    local i argument
    for ((i = 1; i < ${#joined[@]} - 1; i++)); do
        argument=${joined[i]}
        if [[ $argument == -- ]]; then
            command_at=$((i + 1))
            return
        elif [[ $argument == -?* ]]; then
            if __gds_exec_kind_of "$argument"; then
                i=$((i + 1))
                ((i == ${#joined[@]} - 1)) && value_of=$argument
                [[ $argument == --role && -z $word ]] && role=${joined[i]}
            elif [[ $argument == --role=?* ]]; then
                role=${argument#*=}
            fi
        elif [[ -n $role || $word == try && $plain$argument != code ]]; then
            command_at=$i
            return
        elif [[ -n $word ]]; then
            plain+=" $argument"
        elif [[ " ${__gds_exec_subcommands[*]} " == *" $argument "* ]]; then
            word=$argument
        else
            role=$argument
        fi
    done
}

# Put the path of one of AWS's files into `file`: the caller's own, where a role shell has one in its place.
__gds_exec_file() {
    local name=$1 replacement=GDS_EXEC_ROLE_$1
    [[ -n ${!replacement-} && ${!name-} == "${!replacement}" ]] && name=GDS_EXEC_CALLER_$1
    file=${!name-${HOME%/}/.aws/$2}
    [[ -e $file ]] || file=''
}

# Whether the list that gds-exec left is of these files as they are now.
__gds_exec_is_fresh() {
    local header file config credentials
    [[ -f $1 && -O $1 ]] && IFS= read -r header <"$1" || return 1
    __gds_exec_file AWS_CONFIG_FILE config
    config=$file
    __gds_exec_file AWS_SHARED_CREDENTIALS_FILE credentials
    credentials=$file
    [[ $header == "# gds-exec names 1"$'\t'"$config"$'\t'"$credentials" ]] || return 1
    for file in "$config" "$credentials"; do
        [[ -z $file || $1 -nt $file ]] || return 1
    done
}

# Put the roles' lines into `lines`: a name, a tab, and what it is. Names are data: nothing expands them.
__gds_exec_roles() {
    local cache=$HOME/.cache header
    [[ ${XDG_CACHE_HOME-} == /* ]] && cache=$XDG_CACHE_HOME
    local names=${GDS_EXEC_CACHE_DIR:-$cache}/gds-exec/names
    if __gds_exec_is_fresh "$names"; then
        { IFS= read -r header && IFS=$'\n' read -r -d '' -a lines; } <"$names"
    else
        IFS=$'\n' read -r -d '' -a lines < <(command gds-exec roles --names 2>/dev/null </dev/null)
    fi
}

__gds_exec_offer() {
    local candidate
    for candidate in "$@"; do
        [[ $candidate == "$current"* ]] && COMPREPLY[${#COMPREPLY[@]}]=${candidate#"$kept"}
    done
}

# Names are offered as they must be typed; in quotes, which we cannot match, none is. There may be very many:
# what begins otherwise is passed over first, for there `%q` changes nothing.
__gds_exec_offer_roles() {
    local lines=() line name begin=${current%%[!A-Za-z0-9_./:@%+,-]*}
    __gds_exec_roles
    for line in ${lines[@]+"${lines[@]}"}; do
        [[ $line == "$begin"* ]] || continue
        name=${line%%$'\t'*}
        [[ $name == *[!A-Za-z0-9_./:@%+,-]* ]] && printf -v name %q "$name"
        [[ $name == "$current"* ]] && COMPREPLY[${#COMPREPLY[@]}]=${name#"$kept"}
    done
}

__gds_exec_offer_files() {
    local file
    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do
        COMPREPLY[${#COMPREPLY[@]}]=$file
    done < <(compgen -f -- "$current")
}

__gds_exec_offer_values() {
    local kind=''
    __gds_exec_kind_of "$1"
    case $kind in
    durations) __gds_exec_offer 15m 30m 1h 3h 8h 12h ;;
    regions)
        __gds_exec_offer af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 \
            ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ca-central-1 ca-west-1 \
            cn-north-1 cn-northwest-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 \
            eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 sa-east-1 us-east-1 us-east-2 \
            us-gov-east-1 us-gov-west-1 us-west-1 us-west-2
        ;;
    roles) __gds_exec_offer_roles ;;
    formats) __gds_exec_offer "${__gds_exec_formats[@]}" ;;
    sources) __gds_exec_offer "${__gds_exec_sources[@]}" ;;
    files) __gds_exec_offer_files ;;
    esac
}

__gds_exec_offer_arguments() {
    case $word$plain in
    '')
        __gds_exec_offer "${__gds_exec_subcommands[@]}"
        __gds_exec_offer_roles
        ;;
    credential-process | explain | renew* | 'sessions clear') __gds_exec_offer_roles ;;
    sessions) __gds_exec_offer clear ;;
    shell-init | 'completions install') __gds_exec_offer bash zsh fish ;;
    completions) __gds_exec_offer install bash zsh fish ;;
    try) __gds_exec_offer code ;;
    esac
}

# Put what completes a command into `spec`, as `complete -p` tells it; bash-completion loads it where it can.
__gds_exec_spec_of() {
    if ! spec=$(complete -p "$1" 2>/dev/null); then
        if declare -F _comp_load >/dev/null; then
            _comp_load -- "$1"
        elif declare -F __load_completion >/dev/null; then
            __load_completion "$1"
        fi
        spec=$(complete -p "$1" 2>/dev/null || complete -p "${1##*/}" 2>/dev/null)
    fi
}

# Ask the program of a `complete -C`, such as AWS's and Terraform's, as bash does, which bash-completion does not:
# it is told of the line from the command on, of whose place `$1` is the number.
__gds_exec_ask_program() {
    local spec program option i quoted="'\\''" line=$COMP_LINE
    __gds_exec_spec_of "${COMP_WORDS[$1]}"
    [[ $spec == *" -C '"* ]] || return 1
    program=${spec#*" -C '"}
    program=${program%"' "*}
    program=${program//"$quoted"/\'}
    for option in bashdefault default filenames nospace; do
        [[ $spec == *" -o $option "* ]] && compopt -o "$option" 2>/dev/null
    done
    for ((i = 0; i < $1; i++)); do
        line=${line#*"${COMP_WORDS[i]}"}
    done
    line=${line#"${line%%[![:space:]]*}"}
    local point=$((COMP_POINT - ${#COMP_LINE} + ${#line}))
    while IFS= read -r option; do
        COMPREPLY[${#COMPREPLY[@]}]=$option
    done < <(
        export COMP_LINE=$line COMP_POINT=$point COMP_KEY COMP_TYPE
        eval "$program"' "${COMP_WORDS[$1]}" "${current#"$kept"}" "${COMP_WORDS[COMP_CWORD - 1]}"' 2>/dev/null
    )
}

# What the command's own completion offers, as if gds-exec and all before the command were not there.
__gds_exec_hand_over() {
    if (($1 < COMP_CWORD)) && __gds_exec_ask_program "$1"; then
        return
    elif declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif (($1 == COMP_CWORD)) && [[ $current != */* ]]; then
        local name
        while IFS= read -r name; do
            COMPREPLY[${#COMPREPLY[@]}]=$name
        done < <(compgen -c -- "$current" | sort -u)
    else
        __gds_exec_offer_files
    fi
}

_gds_exec() {
    local joined=() starts=() word='' role='' plain='' kind='' value_of='' command_at=''
    COMPREPLY=()
    __gds_exec_join
    __gds_exec_read
    local current=${joined[${#joined[@]} - 1]} behind=${COMP_LINE:COMP_POINT}
    current=${current%"${behind%%[[:space:]]*}"}
    local kept=${current%"$2"} # before the last of bash's own pieces of it, which alone is replaced
    if [[ -n $command_at ]]; then
        __gds_exec_hand_over "${starts[command_at]}"
    elif [[ -n $value_of ]]; then
        __gds_exec_offer_values "$value_of"
    elif [[ $current == --*=* ]]; then
        local option=${current%%=*}
        current=${current#*=}
        kept=${current%"$2"}
        __gds_exec_offer_values "$option"
    elif [[ $current == -* ]]; then
        __gds_exec_offer_options
    elif [[ -n $role ]] || [[ $word == try && -z $plain && -n $current && code != "$current"* ]]; then
        __gds_exec_hand_over "${starts[${#starts[@]} - 1]}"
    else
        __gds_exec_offer_arguments
    fi
}

complete -F _gds_exec gds-exec
