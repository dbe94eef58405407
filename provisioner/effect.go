package provisioner

import (
	"context"
	"errors"
	"time"
)

// takesEffect bounds how long rights that were given may be unknown to an API server. Mostly
// it is milliseconds.
const takesEffect = 5 * time.Second

// untilEffect is the pause after so many tries of what was forbidden. It returns an error
// when no further try is worth it.
func untilEffect(ctx context.Context, tries int) error {
	pause := 20 * time.Millisecond << tries
	if pause > takesEffect/2 {
		return errors.New("the rights do not take effect")
	}
	return sleep(ctx, pause)
}
