// Roots prints the certificates of the public authorities that Mozilla trusts, in PEM: the image has no others.
// Those that Mozilla trusts for some names or times only are left out, as a file cannot say that.
package main

import (
	"bufio"
	"encoding/pem"
	"fmt"
	"os"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // Flush tells
		}
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "print the certificates:", err)
		os.Exit(1)
	}
}
