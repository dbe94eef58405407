// Package charts holds the Helm charts: one for each engine, embedded, and the platform's
// own; and what shops begin with. It knows nothing of Helm; a chart is a folder.
package charts

import (
	"embed"
	"io/fs"
)

//go:embed all:woocommerce all:medusa shops
var embedded embed.FS

// WooCommerce returns the folder of the WooCommerce chart.
func WooCommerce() fs.FS { return folder("woocommerce") }

// Medusa returns the folder of the Medusa chart.
func Medusa() fs.FS { return folder("medusa") }

// Shops returns the folder of what shops can begin with: one file for each template.
func Shops() fs.FS { return folder("shops") }

func folder(name string) fs.FS {
	sub, err := fs.Sub(embedded, name)
	if err != nil {
		panic(err) // only for an invalid path, and ours are constants
	}
	return sub
}
