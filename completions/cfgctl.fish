# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_cfgctl_global_optspecs
    string join \n store= context= o/output= color= q/quiet h/help V/version
end

function __fish_cfgctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_cfgctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_cfgctl_using_subcommand
    set -l cmd (__fish_cfgctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c cfgctl -n "__fish_cfgctl_needs_command" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_needs_command" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_needs_command" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_needs_command" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -s V -l version -d 'Print version'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "validate" -d 'Checks files, on their own and against each other, without a store or a cluster'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "diff" -d 'Shows what an apply would change, in the store and in every cluster, and changes nothing'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "apply" -d 'Makes files real: validate, show the plan, ask, commit once, deliver to every cluster'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "get" -d 'Lists what the store holds, or shows resources as manifests'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "show" -d 'Shows one revision of a set, a cluster or a grant, or what a cluster gets of a set'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "history" -d 'Lists the revisions of a set, a cluster or a grant, newest first: who, when, why, and how much changed'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "explain" -d 'Says where values come from: the layer, its file and line, and the revision that set them'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "status" -d 'Shows which version of every set each cluster holds, whether it is the head, since when and by whom'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "drift" -d 'Compares every cluster with what it should hold, and says what differs, why, and what mends it'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "rollback" -d 'Gives a set, a cluster or a grant the content of an older revision, as a new revision'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "delete" -d 'Deletes sets, and removes their own keys from every cluster, exactly those'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "flag" -d 'Switches feature flags, and says how they stand'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "breaker" -d 'Trips and resets circuit breakers, and says how they stand'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "import" -d 'Makes a set of keys that others wrote, such that applying it changes no byte of them'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "cluster" -d 'Clusters: what there is, and whether they are fit for use'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "context" -d 'Contexts: named stores to switch between'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "auth" -d 'Who may do what: what grants allow, and which of them decides'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "token" -d 'Tokens: what a server knows people, pipelines and agents by'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "audit" -d 'The log: who did what, and whether it is whole'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "notifications" -d 'Lists who is told what happens, how far, and what never arrived'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "login" -d 'Keep the token of a server in the keyring of the operating system'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "logout" -d 'Forget the token that `login` kept'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "whoami" -d 'Whom the store or server takes you for'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "serve" -d 'Serves the store over HTTP, so that every command can be used through it'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "schema" -d 'Print the JSON Schema of the manifests, for editors'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "man" -d 'Print the man page of a command, or write all of them'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "version" -d 'Print the version'
complete -c cfgctl -n "__fish_cfgctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand validate" -s f -l filename -d 'A file, a directory, or `-` for standard input; may be given several times' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand validate" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand validate" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand validate" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand validate" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand validate" -s R -l recursive -d 'Read directories with all that is below them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand validate" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand validate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -s f -l filename -d 'A file, a directory, or `-` for standard input; may be given several times' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -s l -l clusters -d 'Only clusters whose labels match, as in `stage=prod,region!=eu`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l timeout -d 'The longest wait for one set in one cluster, repeats included, as in `30s` or `2m`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l parallelism -d 'How many clusters to work on at once' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l drop-overrides -d 'Forget what is switched by hand of flags and breakers that go away, as in `checkout/express-pay`; may be given several times' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l out -d 'Save the plan, for `cfgctl apply FILE` to carry out exactly as it is shown, or not at all' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -s R -l recursive -d 'Read directories with all that is below them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l prune -d 'Show what would be deleted because the store has it and the files do not'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l adopt -d 'Take over keys and snapshots that something else wrote'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l allow-deletes -d 'Delete more than a fifth of a set\'s keys, or a set as a whole'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l keep-keys -d 'Leave our keys in a cluster that is deleted: nothing looks after them any more'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l remove-keys -d 'Remove our keys from a cluster that is deleted, before it is'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l allow-growth -d 'Let a snapshot become more than twice as large'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -l move-source -d 'Take over sets that were declared by another file, or by another repository'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -s f -l filename -d 'A file, a directory, or `-` for standard input; may be given several times' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -s l -l clusters -d 'Only clusters whose labels match, as in `stage=prod,region!=eu`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l timeout -d 'The longest wait for one set in one cluster, repeats included, as in `30s` or `2m`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l parallelism -d 'How many clusters to work on at once' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -s m -l message -d 'Why, for the history' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l drop-overrides -d 'Forget what is switched by hand of flags and breakers that go away, as in `checkout/express-pay`; may be given several times' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -s R -l recursive -d 'Read directories with all that is below them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l resume -d 'Deliver what is committed already, to every cluster that does not hold it; reads no files'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l prune -d 'Delete what the store has and the files do not; each is asked for'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l dry-run -d 'Show what would be done, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l adopt -d 'Take over keys and snapshots that something else wrote'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l allow-deletes -d 'Delete more than a fifth of a set\'s keys, or a set as a whole'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l keep-keys -d 'Leave our keys in a cluster that is deleted: nothing looks after them any more'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l remove-keys -d 'Remove our keys from a cluster that is deleted, before it is'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l allow-growth -d 'Let a snapshot become more than twice as large'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -l move-source -d 'Take over sets that were declared by another file, or by another repository'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand get" -s l -l selector -d 'Only sets and clusters whose labels match, as in `team=payments`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand get" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand get" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand get" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand get" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand get" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand show" -l cluster -d 'Show the snapshot of the set for this cluster instead of the manifest' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand show" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand show" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand show" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand show" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand history" -l limit -d 'At most this many' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand history" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand history" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand history" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand history" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand history" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand explain" -l cluster -d 'Only in this cluster' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand explain" -l at -d 'As it was at a time, as in `2026-11-21T02:14:00Z`, or in a revision, as in `@7`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand explain" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand explain" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand explain" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand explain" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand status" -s l -l clusters -d 'Only clusters whose labels match, as in `stage=prod,region!=eu`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand status" -l timeout -d 'The longest wait for one set in one cluster, repeats included, as in `30s` or `2m`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand status" -l parallelism -d 'How many clusters to work on at once' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand status" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand status" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand status" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand status" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand status" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l watch -d 'Look again and again until Ctrl-C, and tell what changes' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -s l -l clusters -d 'Only clusters whose labels match, as in `stage=prod,region!=eu`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l timeout -d 'The longest wait for one set in one cluster, repeats included, as in `30s` or `2m`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l parallelism -d 'How many clusters to work on at once' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -s m -l message -d 'Why, for the history' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l drop-overrides -d 'Forget what is switched by hand of flags and breakers that go away, as in `checkout/express-pay`; may be given several times' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l repair -d 'Write again what clusters should hold, after showing the plan'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l dry-run -d 'Show what would be done, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l adopt -d 'Take over keys and snapshots that something else wrote'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l allow-deletes -d 'Delete more than a fifth of a set\'s keys, or a set as a whole'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l keep-keys -d 'Leave our keys in a cluster that is deleted: nothing looks after them any more'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l remove-keys -d 'Remove our keys from a cluster that is deleted, before it is'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l allow-growth -d 'Let a snapshot become more than twice as large'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -l move-source -d 'Take over sets that were declared by another file, or by another repository'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand drift" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l to -d 'The revision to go back to; left out: the newest one with another content' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -s l -l clusters -d 'Only clusters whose labels match, as in `stage=prod,region!=eu`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l timeout -d 'The longest wait for one set in one cluster, repeats included, as in `30s` or `2m`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l parallelism -d 'How many clusters to work on at once' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -s m -l message -d 'Why, for the history' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l drop-overrides -d 'Forget what is switched by hand of flags and breakers that go away, as in `checkout/express-pay`; may be given several times' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l dry-run -d 'Show what would be done, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l adopt -d 'Take over keys and snapshots that something else wrote'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l allow-deletes -d 'Delete more than a fifth of a set\'s keys, or a set as a whole'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l keep-keys -d 'Leave our keys in a cluster that is deleted: nothing looks after them any more'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l remove-keys -d 'Remove our keys from a cluster that is deleted, before it is'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l allow-growth -d 'Let a snapshot become more than twice as large'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -l move-source -d 'Take over sets that were declared by another file, or by another repository'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -s l -l clusters -d 'Only clusters whose labels match, as in `stage=prod,region!=eu`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l timeout -d 'The longest wait for one set in one cluster, repeats included, as in `30s` or `2m`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l parallelism -d 'How many clusters to work on at once' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -s m -l message -d 'Why, for the history' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l drop-overrides -d 'Forget what is switched by hand of flags and breakers that go away, as in `checkout/express-pay`; may be given several times' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l dry-run -d 'Show what would be done, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l adopt -d 'Take over keys and snapshots that something else wrote'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l allow-deletes -d 'Delete more than a fifth of a set\'s keys, or a set as a whole'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l keep-keys -d 'Leave our keys in a cluster that is deleted: nothing looks after them any more'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l remove-keys -d 'Remove our keys from a cluster that is deleted, before it is'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l allow-growth -d 'Let a snapshot become more than twice as large'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -l move-source -d 'Take over sets that were declared by another file, or by another repository'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -f -a "list" -d 'Lists flags: what is declared, what each cluster should have and has, and who switched it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -f -a "get" -d 'Shows one flag: what is declared, what each cluster should have and has, and who switched it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -f -a "on" -d 'Holds a boolean flag at true, whatever its targeting says, until it is unset'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -f -a "off" -d 'Holds a boolean flag at false, whatever its targeting says, until it is unset'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -f -a "set" -d 'Holds a flag at one of its variants, whatever its targeting says, until it is unset'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -f -a "unset" -d 'Takes back what a flag was set to by hand: what is declared holds again'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -f -a "eval" -d 'Says which variant of a flag an application would get, and why'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and not __fish_seen_subcommand_from list get on off set unset eval help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from list" -l timeout -d 'The longest wait for one cluster, as in `2s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from list" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from list" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from list" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from get" -l timeout -d 'The longest wait for one cluster, as in `2s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from get" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from get" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from get" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from get" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -s l -l clusters -d 'Only in clusters whose labels match, as in `stage=prod,region!=eu`; left out: everywhere' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -l for -d 'Only for so long, as in `30m` or `2h`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -l until -d 'Only until then, as in `2026-11-21T14:00:00Z`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -s m -l reason -d 'Why, for the history and for whoever looks next' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -l timeout -d 'The longest wait for one cluster, as in `5s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -l dry-run -d 'Show what would change in every cluster, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from on" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -s l -l clusters -d 'Only in clusters whose labels match, as in `stage=prod,region!=eu`; left out: everywhere' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -l for -d 'Only for so long, as in `30m` or `2h`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -l until -d 'Only until then, as in `2026-11-21T14:00:00Z`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -s m -l reason -d 'Why, for the history and for whoever looks next' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -l timeout -d 'The longest wait for one cluster, as in `5s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -l dry-run -d 'Show what would change in every cluster, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from off" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -s l -l clusters -d 'Only in clusters whose labels match, as in `stage=prod,region!=eu`; left out: everywhere' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -l for -d 'Only for so long, as in `30m` or `2h`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -l until -d 'Only until then, as in `2026-11-21T14:00:00Z`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -s m -l reason -d 'Why, for the history and for whoever looks next' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -l timeout -d 'The longest wait for one cluster, as in `5s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -l dry-run -d 'Show what would change in every cluster, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -s l -l clusters -d 'Only in clusters whose labels match, as in `stage=prod,region!=eu`; left out: everywhere' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -s m -l reason -d 'Why, for the history and for whoever looks next' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -l timeout -d 'The longest wait for one cluster, as in `5s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -l dry-run -d 'Show what would change in every cluster, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from unset" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from eval" -l context -d 'A field of the context, as in `tier=beta` or `user.age=42`; may be given several times' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from eval" -l context-file -d 'A JSON file with the context, or `-` for standard input; `--context` adds to it' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from eval" -l cluster -d 'Only in this cluster' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from eval" -l store-context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from eval" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from eval" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from eval" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from eval" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from eval" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from help" -f -a "list" -d 'Lists flags: what is declared, what each cluster should have and has, and who switched it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from help" -f -a "get" -d 'Shows one flag: what is declared, what each cluster should have and has, and who switched it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from help" -f -a "on" -d 'Holds a boolean flag at true, whatever its targeting says, until it is unset'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from help" -f -a "off" -d 'Holds a boolean flag at false, whatever its targeting says, until it is unset'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from help" -f -a "set" -d 'Holds a flag at one of its variants, whatever its targeting says, until it is unset'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from help" -f -a "unset" -d 'Takes back what a flag was set to by hand: what is declared holds again'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from help" -f -a "eval" -d 'Says which variant of a flag an application would get, and why'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand flag; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "list" -d 'Lists breakers: their state in every cluster, and which clusters it was delivered to'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "show" -d 'Shows a breaker: its state, who brought it there, what it changes in every cluster'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "trip" -d 'Opens a breaker: what it declares is in force in every cluster, or in some'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "reset" -d 'Closes a breaker, whoever opened it: what is declared holds again'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "hold" -d 'Holds a breaker open until a person resets it: neither alerts nor timers close it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "disable" -d 'Closes a breaker and keeps it closed: trips of people are recorded and ignored, and alerts change nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "enable" -d 'Lets a disabled breaker be tripped again'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "history" -d 'Lists what was done to a breaker, newest first: who, when and why'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "alerts" -d 'Lists the alerts that fire for breakers, and those that trip nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "test" -d 'Shows what a message of alerts would do to a breaker, and does nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and not __fish_seen_subcommand_from list show trip reset hold disable enable history alerts test help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from list" -l timeout -d 'The longest wait for one cluster, as in `2s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from list" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from list" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from list" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from show" -l timeout -d 'The longest wait for one cluster, as in `2s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from show" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from show" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from show" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -s m -l reason -d 'Why, for the history and for whoever looks next' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -l timeout -d 'The longest wait for one cluster, as in `5s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -s l -l clusters -d 'Only in clusters whose labels match, as in `stage=prod,region!=eu`; left out: everywhere' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -l for -d 'Only for so long, as in `30m` or `2h`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -l until -d 'Only until then, as in `2026-11-21T14:00:00Z`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -l dry-run -d 'Show what would change in every cluster, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from trip" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -s m -l reason -d 'Why, for the history and for whoever looks next' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -l timeout -d 'The longest wait for one cluster, as in `5s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -s l -l clusters -d 'Only in clusters whose labels match, as in `stage=prod,region!=eu`; left out: everywhere' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -l dry-run -d 'Show what would change in every cluster, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from reset" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -s m -l reason -d 'Why, for the history and for whoever looks next' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -l timeout -d 'The longest wait for one cluster, as in `5s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -s l -l clusters -d 'Only in clusters whose labels match, as in `stage=prod,region!=eu`; left out: everywhere' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -l dry-run -d 'Show what would change in every cluster, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from hold" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from disable" -s m -l reason -d 'Why, for the history and for whoever looks next' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from disable" -l timeout -d 'The longest wait for one cluster, as in `5s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from disable" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from disable" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from disable" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from disable" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from disable" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from disable" -l dry-run -d 'Show what would change in every cluster, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from disable" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from disable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from enable" -s m -l reason -d 'Why, for the history and for whoever looks next' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from enable" -l timeout -d 'The longest wait for one cluster, as in `5s`; the others do not wait longer than that' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from enable" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from enable" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from enable" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from enable" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from enable" -s y -l yes -d 'Do not ask'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from enable" -l dry-run -d 'Show what would change in every cluster, and do nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from enable" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from enable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from history" -l limit -d 'At most this many' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from history" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from history" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from history" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from history" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from history" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from alerts" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from alerts" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from alerts" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from alerts" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from alerts" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from alerts" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from test" -l alert -d 'The message, as Alertmanager or Grafana sends it to a webhook; `-` reads standard input' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from test" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from test" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from test" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from test" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "list" -d 'Lists breakers: their state in every cluster, and which clusters it was delivered to'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "show" -d 'Shows a breaker: its state, who brought it there, what it changes in every cluster'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "trip" -d 'Opens a breaker: what it declares is in force in every cluster, or in some'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "reset" -d 'Closes a breaker, whoever opened it: what is declared holds again'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "hold" -d 'Holds a breaker open until a person resets it: neither alerts nor timers close it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "disable" -d 'Closes a breaker and keeps it closed: trips of people are recorded and ignored, and alerts change nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "enable" -d 'Lets a disabled breaker be tripped again'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "history" -d 'Lists what was done to a breaker, newest first: who, when and why'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "alerts" -d 'Lists the alerts that fire for breakers, and those that trip nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "test" -d 'Shows what a message of alerts would do to a breaker, and does nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand breaker; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l from-consul -d 'Read the keys of this Consul; without an address that of `CONSUL_HTTP_ADDR`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l from-export -d 'Read what `consul kv export` wrote; `-` for standard input' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l prefix -d 'Where the keys lie, as in `config/checkout`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l name -d 'What to name the set; left out: the last part of the prefix' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l layout -d 'How the keys are laid out' -r -f -a "auto\t'Find out'
spring-yaml\t'Spring\'s format YAML: one document at `<prefix>/data`'
spring-properties\t'Spring\'s format PROPERTIES: one document at `<prefix>/data`'
spring-key-value\t'Spring\'s format `KEY_VALUE`: one key per property'
files\t'Spring\'s format FILES, and git2consul: one key per file'
keys\t'One key per value'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -s l -l clusters -d 'Which clusters the set goes to, as in `stage=prod,region!=eu`; left out: all' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l out -d 'Write the manifest to this new file' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l datacenter -d 'The datacenter to read from; left out: the agent\'s own' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l timeout -d 'The longest wait for one request, as in `30s` or `2m`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l structured -d 'Make values of a Spring document even if its text is then rewritten'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l force -d 'Replace the file if it exists'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -l partial -d 'Go on if some keys cannot be imported'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -f -a "list" -d 'List the clusters that the store knows'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -f -a "check" -d 'Check that clusters answer, and say what one write can carry'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -f -a "login" -d 'Keep the token of a cluster in the keyring of the operating system'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -f -a "logout" -d 'Forget the token that `login` kept, whatever the address of the cluster was'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -f -a "policy" -d 'Print the least ACL policy with which a cluster can be used'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and not __fish_seen_subcommand_from list check login logout policy help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from list" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from list" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from list" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -s f -l filename -d 'A file, a directory, or `-` for standard input; may be given several times' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -s l -l clusters -d 'Only clusters whose labels match, as in `stage=prod,region!=eu`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -l timeout -d 'The longest wait for one set in one cluster, repeats included, as in `30s` or `2m`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -l parallelism -d 'How many clusters to work on at once' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -s R -l recursive -d 'Read directories with all that is below them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -l timeout -d 'The longest wait for the cluster, as in `30s` or `2m`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -s f -l filename -d 'A file, a directory, or `-` for standard input; may be given several times' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -l token-stdin -d 'Read the token from standard input instead of asking for it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -l no-check -d 'Keep the token without showing it to the cluster first'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -s R -l recursive -d 'Read directories with all that is below them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from logout" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from logout" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from logout" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from logout" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from logout" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from policy" -l set -d 'Only what this set needs, for a token of its own; may be given several times' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from policy" -s f -l filename -d 'A file, a directory, or `-` for standard input; may be given several times' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from policy" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from policy" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from policy" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from policy" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from policy" -s R -l recursive -d 'Read directories with all that is below them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from policy" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from policy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the clusters that the store knows'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from help" -f -a "check" -d 'Check that clusters answer, and say what one write can carry'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from help" -f -a "login" -d 'Keep the token of a cluster in the keyring of the operating system'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from help" -f -a "logout" -d 'Forget the token that `login` kept, whatever the address of the cluster was'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from help" -f -a "policy" -d 'Print the least ACL policy with which a cluster can be used'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand cluster; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and not __fish_seen_subcommand_from list use set help" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and not __fish_seen_subcommand_from list use set help" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and not __fish_seen_subcommand_from list use set help" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and not __fish_seen_subcommand_from list use set help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and not __fish_seen_subcommand_from list use set help" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and not __fish_seen_subcommand_from list use set help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and not __fish_seen_subcommand_from list use set help" -f -a "list" -d 'List the contexts'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and not __fish_seen_subcommand_from list use set help" -f -a "use" -d 'Make a context the current one'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and not __fish_seen_subcommand_from list use set help" -f -a "set" -d 'Add a context, or change the one of this name'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and not __fish_seen_subcommand_from list use set help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from list" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from list" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from list" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from use" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from use" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from use" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from use" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from use" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from set" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from set" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from set" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from set" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the contexts'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from help" -f -a "use" -d 'Make a context the current one'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from help" -f -a "set" -d 'Add a context, or change the one of this name'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand context; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i explain help" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i explain help" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i explain help" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i explain help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i explain help" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i explain help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i explain help" -f -a "can-i" -d 'Say whether something is allowed: ends with 0 if it is, and with 1 if it is not'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i explain help" -f -a "explain" -d 'Show what is allowed, and by which grant'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and not __fish_seen_subcommand_from can-i explain help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l cluster -d 'Only in this cluster' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l as -d 'Ask for somebody else, as in `token:ci`, or `claims:iss=https://gitlab.com,project_id=42`; takes an admin of everything' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from explain" -l cluster -d 'Only in this cluster' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from explain" -l as -d 'Ask for somebody else, as in `token:ci`, or `claims:iss=https://gitlab.com,project_id=42`; takes an admin of everything' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from explain" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from explain" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from explain" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from explain" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from help" -f -a "can-i" -d 'Say whether something is allowed: ends with 0 if it is, and with 1 if it is not'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from help" -f -a "explain" -d 'Show what is allowed, and by which grant'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand auth; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -f -a "create" -d 'Make a token, and print it: it is shown once, and kept nowhere'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -f -a "list" -d 'List the tokens, without anything secret of them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -f -a "rotate" -d 'Make a token that takes over from those of its name, and print it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -f -a "revoke" -d 'End tokens: whoever shows one is unknown from then on, at every server of the store'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and not __fish_seen_subcommand_from create list rotate revoke help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -l kind -d 'What it is for: `api` for whatever grants allow, `alerts` for webhooks alone, `agent` for the snapshots and reports of one cluster, `app` for what clusters get of one set' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -l set -d 'The set that a token of the kind `app` is for' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -l cluster -d 'The cluster that a token of the kind `agent` is for, or the only one that one of the kind `app` may ask about' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -l expires -d 'How long it is valid, as in `90d` or `12h`, a year at most; or `never`: until it is revoked' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -s m -l message -d 'What it is for; kept with it and in the log' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from list" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from list" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from list" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from rotate" -l expires -d 'How long the new one is valid, as in `90d`, or `never`; left out: as long as the old one was to be' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from rotate" -l overlap -d 'How long the old ones stay valid, at most' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from rotate" -s m -l message -d 'Why; kept in the log' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from rotate" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from rotate" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from rotate" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from rotate" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from rotate" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from rotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s m -l message -d 'Why; kept in the log' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "create" -d 'Make a token, and print it: it is shown once, and kept nowhere'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the tokens, without anything secret of them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "rotate" -d 'Make a token that takes over from those of its name, and print it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "revoke" -d 'End tokens: whoever shows one is unknown from then on, at every server of the store'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify help" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify help" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify help" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify help" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify help" -f -a "list" -d 'List what was done, newest first: changes, refusals, logins, tokens'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify help" -f -a "verify" -d 'Check that the log is whole: every entry and revision is what it was made as, and none is missing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l set -d 'Those that changed this set; may be repeated' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l cluster -d 'Those that changed this cluster; may be repeated' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l actor -d 'Those of whom the history calls so: `ops@laptop`, `token:ci`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l cause -d 'Those that came about like this: apply, rollback, delete, flag, breaker, alert or expiry' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l since -d 'Those from this time on, as in `2026-11-20T10:00:00Z`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l until -d 'Those before this time' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l limit -d 'At most this many' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l against -d 'A file with a checkpoint that a server signed: the log must go on from it' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l key -d 'The key that must have signed it, `NAME+HASH+KEY`, as a server shows it when it starts' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from help" -f -a "list" -d 'List what was done, newest first: changes, refusals, logins, tokens'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Check that the log is whole: every entry and revision is what it was made as, and none is missing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand audit; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand notifications" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand notifications" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand notifications" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand notifications" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand notifications" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand notifications" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -l token-file -d 'Read the token from this file instead of asking for it' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -l oidc-token -d 'Log in with the JWT in this file, or in standard input if it is `-`' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -l audience -d 'Whom that JWT is for; left out: the one audience that the server knows for pipelines' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -l keep-in -d 'Keep the token in this file, which its owner alone may read, instead of in the keyring' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -l token-stdin -d 'Read the token from standard input instead of asking for it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -l oidc -d 'Log in as a person, in a browser, at the issuer that the server knows people by'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -l oidc-github -d 'Log in with a JWT that the runner of GitHub Actions makes for a job with `id-token: write`'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand logout" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand logout" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand logout" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand logout" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand logout" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand whoami" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand whoami" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand whoami" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand whoami" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand whoami" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand whoami" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l listen -d 'Where to listen; other machines can only be listened to with a certificate' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l token-file -d 'A file that holds the token of the owner, and nothing else; also `CFGCTL_SERVE_TOKEN_FILE`' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l tls-cert -d 'The certificate to show, in PEM, with those between it and its authority; it, its key and their files are looked at again every few seconds' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l tls-key -d 'The private key of the certificate, in PEM' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l tls-client-ca -d 'Let nobody in who shows no certificate of one of these authorities, in PEM; who he is and what he may do says his token all the same' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l checkpoint-key -d 'The private key, in PEM, that checkpoints of the log are signed with; made where it is not there. Left out: `checkpoint.key` beside the default store' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l oidc -d 'A file that names the issuers whose JWTs are exchanged for tokens, so that people and pipelines log in without a stored secret (OpenID Connect)' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l rate-limit -d 'How many requests a second may come with one token from one address, on average' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l notify -d 'A file that says who is told what happens, where and in which form' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l look-for-drift -d 'How often clusters are compared with what they should hold, so that drift is told: as in `5m`; left out: never' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l cors-origin -d 'Let pages of this origin, as in `https://shop.example.com`, ask for flags in browsers (OFREP); `*` lets those of all' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l log -d 'How to write what there is to say while it serves, on standard error: as text, or as one JSON object a line' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l allow-directories -d 'Let clients declare clusters that name what lies below these directories of this machine: directory targets, token files, certificates' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l allow-variables -d 'Let clients declare clusters whose token is in one of these variables of this process' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -l recover -d 'Make a token for the owner in any case: for whoever lost all others'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand schema" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand schema" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand schema" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand schema" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand schema" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand completions" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand completions" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand completions" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand completions" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand completions" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand man" -l all -d 'Write every page into this directory' -r -F
complete -c cfgctl -n "__fish_cfgctl_using_subcommand man" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand man" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand man" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand man" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand man" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand version" -l store -d 'Where the store is: a path, `sqlite:PATH`, or a server\'s `https://HOST:PORT`' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand version" -l context -d 'The context to use instead of the current one' -r
complete -c cfgctl -n "__fish_cfgctl_using_subcommand version" -s o -l output -d 'How to write the result' -r -f -a "table\t'For people'
wide\t'For people, with everything there is'
json\t'For programs; a promise, with `apiVersion` and `kind`'
yaml\t'The same as YAML'
name\t'Names only, one a line'
markdown\t'A comment for a pull request; `diff`, `drift` and `validate` write it'
github\t'Annotations for GitHub Actions; `validate` writes them'
junit\t'Test results as JUnit XML; `validate` writes them'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand version" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cfgctl -n "__fish_cfgctl_using_subcommand version" -s q -l quiet -d 'Say nothing but the result and errors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "validate" -d 'Checks files, on their own and against each other, without a store or a cluster'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "diff" -d 'Shows what an apply would change, in the store and in every cluster, and changes nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "apply" -d 'Makes files real: validate, show the plan, ask, commit once, deliver to every cluster'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "get" -d 'Lists what the store holds, or shows resources as manifests'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "show" -d 'Shows one revision of a set, a cluster or a grant, or what a cluster gets of a set'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "history" -d 'Lists the revisions of a set, a cluster or a grant, newest first: who, when, why, and how much changed'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "explain" -d 'Says where values come from: the layer, its file and line, and the revision that set them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "status" -d 'Shows which version of every set each cluster holds, whether it is the head, since when and by whom'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "drift" -d 'Compares every cluster with what it should hold, and says what differs, why, and what mends it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "rollback" -d 'Gives a set, a cluster or a grant the content of an older revision, as a new revision'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "delete" -d 'Deletes sets, and removes their own keys from every cluster, exactly those'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "flag" -d 'Switches feature flags, and says how they stand'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "breaker" -d 'Trips and resets circuit breakers, and says how they stand'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "import" -d 'Makes a set of keys that others wrote, such that applying it changes no byte of them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "cluster" -d 'Clusters: what there is, and whether they are fit for use'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "context" -d 'Contexts: named stores to switch between'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "auth" -d 'Who may do what: what grants allow, and which of them decides'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "token" -d 'Tokens: what a server knows people, pipelines and agents by'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "audit" -d 'The log: who did what, and whether it is whole'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "notifications" -d 'Lists who is told what happens, how far, and what never arrived'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "login" -d 'Keep the token of a server in the keyring of the operating system'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "logout" -d 'Forget the token that `login` kept'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "whoami" -d 'Whom the store or server takes you for'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "serve" -d 'Serves the store over HTTP, so that every command can be used through it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "schema" -d 'Print the JSON Schema of the manifests, for editors'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "completions" -d 'Print the completions for a shell'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "man" -d 'Print the man page of a command, or write all of them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "version" -d 'Print the version'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and not __fish_seen_subcommand_from validate diff apply get show history explain status drift rollback delete flag breaker import cluster context auth token audit notifications login logout whoami serve schema completions man version help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from flag" -f -a "list" -d 'Lists flags: what is declared, what each cluster should have and has, and who switched it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from flag" -f -a "get" -d 'Shows one flag: what is declared, what each cluster should have and has, and who switched it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from flag" -f -a "on" -d 'Holds a boolean flag at true, whatever its targeting says, until it is unset'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from flag" -f -a "off" -d 'Holds a boolean flag at false, whatever its targeting says, until it is unset'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from flag" -f -a "set" -d 'Holds a flag at one of its variants, whatever its targeting says, until it is unset'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from flag" -f -a "unset" -d 'Takes back what a flag was set to by hand: what is declared holds again'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from flag" -f -a "eval" -d 'Says which variant of a flag an application would get, and why'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from breaker" -f -a "list" -d 'Lists breakers: their state in every cluster, and which clusters it was delivered to'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from breaker" -f -a "show" -d 'Shows a breaker: its state, who brought it there, what it changes in every cluster'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from breaker" -f -a "trip" -d 'Opens a breaker: what it declares is in force in every cluster, or in some'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from breaker" -f -a "reset" -d 'Closes a breaker, whoever opened it: what is declared holds again'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from breaker" -f -a "hold" -d 'Holds a breaker open until a person resets it: neither alerts nor timers close it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from breaker" -f -a "disable" -d 'Closes a breaker and keeps it closed: trips of people are recorded and ignored, and alerts change nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from breaker" -f -a "enable" -d 'Lets a disabled breaker be tripped again'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from breaker" -f -a "history" -d 'Lists what was done to a breaker, newest first: who, when and why'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from breaker" -f -a "alerts" -d 'Lists the alerts that fire for breakers, and those that trip nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from breaker" -f -a "test" -d 'Shows what a message of alerts would do to a breaker, and does nothing'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from cluster" -f -a "list" -d 'List the clusters that the store knows'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from cluster" -f -a "check" -d 'Check that clusters answer, and say what one write can carry'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from cluster" -f -a "login" -d 'Keep the token of a cluster in the keyring of the operating system'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from cluster" -f -a "logout" -d 'Forget the token that `login` kept, whatever the address of the cluster was'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from cluster" -f -a "policy" -d 'Print the least ACL policy with which a cluster can be used'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from context" -f -a "list" -d 'List the contexts'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from context" -f -a "use" -d 'Make a context the current one'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from context" -f -a "set" -d 'Add a context, or change the one of this name'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from auth" -f -a "can-i" -d 'Say whether something is allowed: ends with 0 if it is, and with 1 if it is not'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from auth" -f -a "explain" -d 'Show what is allowed, and by which grant'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "create" -d 'Make a token, and print it: it is shown once, and kept nowhere'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "list" -d 'List the tokens, without anything secret of them'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "rotate" -d 'Make a token that takes over from those of its name, and print it'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "revoke" -d 'End tokens: whoever shows one is unknown from then on, at every server of the store'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from audit" -f -a "list" -d 'List what was done, newest first: changes, refusals, logins, tokens'
complete -c cfgctl -n "__fish_cfgctl_using_subcommand help; and __fish_seen_subcommand_from audit" -f -a "verify" -d 'Check that the log is whole: every entry and revision is what it was made as, and none is missing'
