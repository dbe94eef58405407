package main

import (
	"context"
	"fmt"
)

const concurrencyStores = 40

// measureConcurrency shows how many stores should be worked on at once: the number with the
// shortest total without making each of them slow is the one for the default.
func measureConcurrency(ctx context.Context, b *bench) ([]figure, error) {
	var limited []approach
	for _, limit := range []int{8, 16, 24, 32, 0} {
		limited = append(limited, approach{name: limitName(limit), ours: true, open: func(ctx context.Context) (peer, error) {
			return newPlatform(ctx, b, b.account, limit)
		}})
	}
	crowds, err := gather(ctx, b, limited, concurrencyStores, 3)
	if err != nil {
		return nil, err
	}
	var figures []figure
	for i, repeated := range crowds {
		n := fmt.Sprintf("%d stores, %s", concurrencyStores, limited[i].name)
		figures = append(figures,
			seconds(n+", all ready", totals(repeated), aim{}),
			spreadOf(n+", each, median", repeated, 50),
			spreadOf(n+", each, 95 of 100", repeated, 95),
		)
	}
	return figures, nil
}

func limitName(limit int) string {
	if limit == 0 {
		return "no limit"
	}
	return fmt.Sprintf("%d at a time", limit)
}
