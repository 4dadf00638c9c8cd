# Completion of lumbarctl(1): what the program itself lists, so that it cannot fall behind.
_lumbarctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local -a path=()
    local word
    COMPREPLY=()
    case $previous in
    --config | --socket | --out | --state | --folder) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word != -* ]] && ((${#path[@]} < 2)) && path+=("$word")
    done
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(lumbarctl "${path[@]}" --help 2>/dev/null |
            grep -oE -- '--[a-z][a-z-]*' | sort -u)" -- "$cur")
    elif ((${#path[@]} < 2)); then
        mapfile -t COMPREPLY < <(compgen -W "$(lumbarctl "${path[@]}" --list 2>/dev/null)" -- "$cur")
    fi
    ((${#COMPREPLY[@]} > 0)) || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}
complete -o filenames -F _lumbarctl lumbarctl
