package helm

import "io"

// boundBody frees what a bound request holds once its answer has been read.
type boundBody struct {
	io.ReadCloser
	done func()
}

// Close implements io.Closer.
func (b *boundBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}
