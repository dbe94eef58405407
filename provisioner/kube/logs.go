package kube

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LongestLine is how much is read of a line in a log, in bytes. The rest is passed over.
const LongestLine = 16 << 10

// LogOptions say which part of a container's log is read.
type LogOptions struct {
	Previous bool      // of the container before its last restart
	Follow   bool      // go on with what is written later
	Tail     int64     // only so many lines from the end; all when 0
	Since    time.Time // only lines from that second on, if it is set
}

// LogLine is a line as a container wrote it: bytes that need not be text.
type LogLine struct {
	At   time.Time
	Text []byte // without its end; valid until the next line is read
	Cut  int    // bytes that are missing at its end
}

// Log is a container's log while it is read.
type Log struct {
	from io.ReadCloser
	in   *bufio.Reader
}

// Log opens the log of a container. Reading ends when the context does.
func (c *Client) Log(ctx context.Context, namespace, pod, container string, o LogOptions) (*Log, error) {
	options := &corev1.PodLogOptions{Container: container, Previous: o.Previous, Follow: o.Follow, Timestamps: true}
	if o.Tail > 0 {
		options.TailLines = &o.Tail
	}
	if !o.Since.IsZero() {
		options.SinceTime = &metav1.Time{Time: o.Since}
	}
	body, err := c.set.CoreV1().Pods(namespace).GetLogs(pod, options).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s in %s/%s: %w", container, namespace, pod, err)
	}
	return ReadLog(body), nil
}

// ReadLog reads a log as a node writes it with times.
func ReadLog(from io.ReadCloser) *Log {
	return &Log{from: from, in: bufio.NewReaderSize(from, LongestLine+longestStamp)}
}

// longestStamp is what a time takes at most in front of a line.
const longestStamp = len("2006-01-02T15:04:05.999999999+00:00 ")

// Next returns the next line, or io.EOF after the last one. However long a line is, no more
// than LongestLine of it is ever held.
func (l *Log) Next() (LogLine, error) {
	line, err := l.in.ReadSlice('\n')
	cut := 0
	if errors.Is(err, bufio.ErrBufferFull) {
		line = bytes.Clone(line)
		cut, err = l.skipLine()
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return LogLine{}, err
	}
	return logLine(bytes.TrimSuffix(line, []byte("\n")), cut), nil
}

// skipLine passes over the rest of a line and returns how long it is.
func (l *Log) skipLine() (length int, err error) {
	for {
		part, err := l.in.ReadSlice('\n')
		length += len(bytes.TrimSuffix(part, []byte("\n")))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return length, err
		}
	}
}

// logLine takes the time off the beginning of a line.
func logLine(line []byte, cut int) LogLine {
	stamp, text, found := bytes.Cut(line, []byte(" "))
	at, err := time.Parse(time.RFC3339Nano, string(stamp[:min(len(stamp), longestStamp)]))
	if !found || err != nil {
		at, text = time.Time{}, line
	}
	if more := len(text) - LongestLine; more > 0 {
		text, cut = text[:LongestLine], cut+more
	}
	return LogLine{At: at, Text: text, Cut: cut}
}

// Buffered reports whether the next line is there already.
func (l *Log) Buffered() bool {
	waiting, _ := l.in.Peek(l.in.Buffered())
	return bytes.IndexByte(waiting, '\n') >= 0
}

// Close ends the reading.
func (l *Log) Close() error { return l.from.Close() }
