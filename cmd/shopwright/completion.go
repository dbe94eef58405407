package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd prints the completion script of a shell.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Each script runs the hidden complete command to get the words that can come next.
const (
	bashCompletion = `_shopwright() {
    local IFS=$'\n'
    COMPREPLY=($(shopwright complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _shopwright shopwright
`
	zshCompletion = `#compdef shopwright
_shopwright() {
    local -a found
    found=(${(f)"$(shopwright complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    compadd -a found
}
compdef _shopwright shopwright
`
	fishCompletion = `function __shopwright
    set -l typed (commandline -opc) (commandline -ct)
    shopwright complete -- $typed[2..-1] 2>/dev/null
end
complete -c shopwright -f -a "(__shopwright)"
`
)

// Run implements the subcommand.
func (c *completionCmd) Run(at console) error {
	script := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.Shell]
	_, err := fmt.Fprint(at.out, script)
	return err
}

// completeCmd lists the completions of the last word.
type completeCmd struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// Run implements the subcommand.
func (c *completeCmd) Run(at console, call *kong.Context) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		words = []string{""}
	}
	for _, word := range complete(call.Model.Node, words) {
		if _, err := fmt.Fprintln(at.out, word); err != nil {
			return err
		}
	}
	return nil
}

// complete finds the command that was typed and returns the completions of the last word.
func complete(node *kong.Node, words []string) (found []string) {
	typed, begun := words[:len(words)-1], words[len(words)-1]
	for _, word := range typed {
		if at := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == word }); at >= 0 {
			node = node.Children[at]
		}
	}
	var all []string
	if strings.HasPrefix(begun, "-") {
		for _, flag := range node.Flags {
			all = append(all, "--"+flag.Name)
			if flag.Tag.Negatable != "" {
				all = append(all, "--no-"+flag.Name)
			}
		}
	} else {
		all = choices(node, typed)
	}
	for _, word := range all {
		if strings.HasPrefix(word, begun) {
			found = append(found, word)
		}
	}
	return found
}

// choices returns the values of the flag that was typed last, or else the possible commands and arguments.
func choices(node *kong.Node, typed []string) (all []string) {
	if len(typed) > 0 {
		for _, flag := range node.Flags {
			if typed[len(typed)-1] == "--"+flag.Name || flag.Short != 0 && typed[len(typed)-1] == "-"+string(flag.Short) {
				return flag.EnumSlice()
			}
		}
	}
	for _, child := range node.Children {
		if !child.Hidden {
			all = append(all, child.Name)
		}
	}
	for _, argument := range node.Positional {
		if argument.Enum != "" {
			all = append(all, argument.EnumSlice()...)
		}
	}
	return all
}
