package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// mayBeEmpty are the flags for which an empty value means something: the password of a file, a
// request without data, a context without bytes (RFC 9258).
var mayBeEmpty = []string{"password", "data", "psk-import"}

// checkFlags returns an error if a flag has an empty value, as a variable of a shell that is not
// set gives, or if what a flag names cannot be written. An empty value taken for a missing flag
// would leave out what was asked for: a pin that is not checked, a file that is not written.
func checkFlags(cmd *cobra.Command, args []string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err != nil || slices.Contains(mayBeEmpty, f.Name) || cmd.Name() == "derive" {
			return // derive's values are hex, and each knows whether it may be empty
		}
		if isEmpty(f.Value) {
			// The way out is not the command without the flag: that checks no pin.
			err = &usageError{fmt.Sprintf("--%s: the value is empty", f.Name),
				cmd.CommandPath() + " --help"}
		}
	})
	if err != nil {
		return err
	}
	return checkOutputs(cmd, args)
}

// isEmpty reports whether a text, or one of a list of them, is empty.
func isEmpty(value pflag.Value) bool {
	if list, ok := value.(pflag.SliceValue); ok {
		return len(list.GetSlice()) == 0 || slices.Contains(list.GetSlice(), "")
	}
	return value.Type() == "string" && value.String() == ""
}
