# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion; commands and options are taken from --help.
_pmem_preserve()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local commands command='' word

	commands=$(pmem-preserve --help 2>/dev/null |
		sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		if [[ " ${commands//$'\n'/ } " == *" $word "* ]]; then
			command=$word
			break
		fi
	done
	[[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
	[[ $current == = ]] && current=
	case $previous in
	--kernel)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -W "newest running" -- "$current";
			compgen -f -- "$current")
		return
		;;
	-i | --image | --initrd | --config | --key-file)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	-C | --into)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		return
		;;
	--layout)
		mapfile -t COMPREPLY < <(compgen -W 'raw devdax' -- "$current")
		return
		;;
	-r | --region)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(pmem-preserve status 2>/dev/null | sed -n 's/^\(region[0-9]*\)[: ].*/\1/p' |
				sort -u)" -- "$current")
		return
		;;
	esac
	if [[ -z $command && $current != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
	elif [[ $current == -* ]]; then
		# shellcheck disable=SC2086 # an empty command must not become an argument
		mapfile -t COMPREPLY < <(compgen -W "$(pmem-preserve $command --help 2>/dev/null |
			grep -oE -- '--[a-z-]+' | sort -u) --config --json --verbose --quiet" \
			-- "$current")
	else
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}
complete -F _pmem_preserve pmem-preserve
