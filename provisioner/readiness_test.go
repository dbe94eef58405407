package provisioner

import (
	"testing"
	"time"
)

func TestShopIsCheckedOncePerTimeThatItIsNotReady(t *testing.T) {
	t.Parallel()
	r := &readiness{after: 30 * time.Second, since: map[string]time.Time{}, asked: map[string]bool{}}
	began := time.Now()
	for _, c := range []struct {
		after   time.Duration
		unready bool
		due     bool
	}{
		{0, true, false},
		{20 * time.Second, true, false},
		{25 * time.Second, false, false}, // a restart
		{26 * time.Second, true, false},
		{50 * time.Second, true, false},
		{56 * time.Second, true, true},
		{57 * time.Second, true, false},
		{10 * time.Minute, true, false},
		{11 * time.Minute, false, true}, // it is back
		{12 * time.Minute, false, false},
	} {
		unready := map[string]bool{}
		if c.unready {
			unready["shop"] = true
		}
		due := r.look(unready, began.Add(c.after))
		if _, is := due["shop"]; is != c.due {
			t.Errorf("after %s it is due: %t", c.after, is)
		}
		for id := range due {
			r.checked(id)
		}
	}
}

// A shop that takes long to open, or to change, lacks ready pods meanwhile: that is no reason to check it afterwards.
func TestOpeningShopIsNotCheckedForItsPods(t *testing.T) {
	t.Parallel()
	r := &readiness{after: 30 * time.Second, since: map[string]time.Time{}, asked: map[string]bool{}}
	began := time.Now()
	for after := time.Duration(0); after < 2*time.Minute; after += 10 * time.Second {
		for id := range r.look(map[string]bool{"shop": true}, began.Add(after)) {
			r.forget(id) // it cannot be checked yet
		}
	}
	if due := r.look(nil, began.Add(3*time.Minute)); len(due) > 0 {
		t.Errorf("it is checked once it is open: %v", due)
	}
}

func TestFullDisksAreRecognised(t *testing.T) {
	t.Parallel()
	for line, full := range map[string]bool{
		"[ERROR] mariadbd: Error writing file './ddl-recovery.log' (Errcode: 28 \"No space left on device\")": true,
		"InnoDB: Error number 28 means 'No space left on device'":                                             true,
		"Write to file ./ib_logfile0 failed with error 28":                                                    true,
		"PANIC: could not write to file: No space left on device":                                             true,
		"mysqld: disk is full writing './binlog.000001'":                                                      true,
		"GET /shop/?page=28 200": false,
		"error 280: unknown":     false,
	} {
		if is := diskFull.MatchString(line); is != full {
			t.Errorf("%q: %t", line, is)
		}
	}
}
