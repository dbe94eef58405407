package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkBackup makes restore points of a shop with 254 MB of files and 100 MB of SQL: the first one, one after
// some orders and uploads, and one of a shop that has not changed. The containers' own commands run one after
// another, beside MariaDB and the bucket on the same machine.
func BenchmarkBackup(b *testing.B) {
	port, query := mariaDBServer(b)
	query("USE wordpress; INSERT INTO orders (note) SELECT CONCAT(seq, ' Tschüß 🫖 ', SHA2(seq, 512)) FROM seq_100001_to_610000")
	shop := newBackup(b, shop(b, unchanged), bucketServer(b).URL, port, "/var/www/html")
	random := rand.NewChaCha8([32]byte{1})
	upload := func(name string, size int) {
		b.Helper()
		picture := make([]byte, size)
		_, _ = random.Read(picture) // never fails
		path := filepath.Join(shop.files, "wp-content", "uploads", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, picture, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 2000 {
		upload(fmt.Sprintf("%d/%d.jpg", i/100, i), 127_000)
	}
	memory := watchMemory(b, "restic")
	for b.Loop() {
		measure := func(what string) backupReport {
			began := time.Now()
			r := shop.point(b, what)
			b.ReportMetric(time.Since(began).Seconds(), "s/"+what)
			return r
		}
		first := measure("first")
		query("USE wordpress; INSERT INTO orders (note) SELECT CONCAT('new ', seq, SHA2(seq, 512)) FROM seq_1_to_200")
		for i := range 40 {
			upload(fmt.Sprintf("new/%d.jpg", i), 127_000)
		}
		measure("next")
		last := measure("unchanged")
		b.ReportMetric(float64(first.Database.Bytes)/1e6, "MB-of-SQL")
		b.ReportMetric(float64(first.Files.Bytes)/1e6, "MB-of-files")
		b.ReportMetric(float64(last.Database.Added+last.Files.Added)/1e6, "MB-added-unchanged")
		b.ReportMetric(float64(memory.Load())/1e6, "MB-of-memory")
	}
	b.ReportMetric(0, "ns/op") // says nothing of these three
}

// watchMemory returns the most memory, in bytes, that a program of that name has had since. What the system tells of
// a process that has ended counts the one that started it, too.
func watchMemory(b *testing.B, name string) *atomic.Int64 {
	b.Helper()
	most, done := &atomic.Int64{}, make(chan struct{})
	b.Cleanup(func() { close(done) })
	go func() {
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				most.Store(max(most.Load(), peakOf(name)))
			}
		}
	}()
	return most
}

// peakOf is the most memory that one of the processes of that name has had so far.
func peakOf(name string) (most int64) {
	processes, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, path := range processes {
		status, err := os.ReadFile(path) // it may have ended
		if err != nil || !strings.HasPrefix(string(status), "Name:\t"+name+"\n") {
			continue
		}
		var kilobytes int64
		if _, peak, found := strings.Cut(string(status), "\nVmHWM:"); found {
			_, _ = fmt.Sscan(peak, &kilobytes) // a process that ends has none
		}
		most = max(most, kilobytes<<10)
	}
	return most
}
