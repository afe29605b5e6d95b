# bash completion for apex
_apex() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local commands="demo id image trust contract contribute run result withdraw audit ledger witness verify export ui node doctor"
    local options="--node --as --home --json --help"
    case $before in
    --rows|--firmware|--evidence|--certs|--program|--party|--template|--policy|-o) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --home|--source|--collateral) COMPREPLY=($(compgen -d -- "$word")); return ;;
    esac
    if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "$commands --help --version" -- "$word")); return; fi
    case ${COMP_WORDS[1]} in
    id) [ "$COMP_CWORD" -eq 2 ] && { COMPREPLY=($(compgen -W "new show" -- "$word")); return; } ;;
    trust) [ "$COMP_CWORD" -eq 2 ] && { COMPREPLY=($(compgen -W "init check show bundle" -- "$word")); return; }
        [ "$COMP_CWORD" -eq 3 ] && [ "${COMP_WORDS[2]}" = bundle ] && { COMPREPLY=($(compgen -W "make check use" -- "$word")); return; }
        options="$options --replace --evidence --certs --collateral --at --policy --tee --days -o" ;;
    contract) [ "$COMP_CWORD" -eq 2 ] && { COMPREPLY=($(compgen -W "new address build deploy list show verify accept close" -- "$word")); return; }
        options="$options --program --party --source --chain --registry -o" ;;
    contribute) options="$options --map --check -o" ;;
    export) options="$options -o" ;;
    ledger) [ "$COMP_CWORD" -eq 2 ] && { COMPREPLY=($(compgen -W "key mirror fsck serve proof" -- "$word")); return; }; options="$options --listen -o" ;;
    witness) [ "$COMP_CWORD" -eq 2 ] && { COMPREPLY=($(compgen -W "new key serve" -- "$word")); return; }; options="$options --listen" ;;
    ui) options="$options --open --port" ;;
    run) options="$options --param --rows --seed --map -o" ;;
    result) options="$options -o" ;;
    verify) options="$options --policy --chain --registry --chain-id --confirmations" ;;
    audit) options="$options --rerun --chain --registry --chain-id --confirmations" ;;
    image) [ "$COMP_CWORD" -eq 2 ] && { COMPREPLY=($(compgen -W "measure" -- "$word")); return; }; options="$options --firmware --cpu --vcpus --features" ;;
    node) [ "$COMP_CWORD" -eq 2 ] && { COMPREPLY=($(compgen -W "hand-over shares recover" -- "$word")); return; }; options="$options --collateral -o" ;;
    demo) options="$options --rows --tee --open" ;;
    esac
    case $word in -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;; *) COMPREPLY=($(compgen -f -- "$word")) ;; esac
}
complete -F _apex apex
