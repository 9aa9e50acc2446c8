package activities

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.temporal.io/sdk/temporal"
)

func TestWhatCountsAsStuck(t *testing.T) {
	passing, final := temporal.NewApplicationError("503", "iconik"), temporal.NewNonRetryableApplicationError("403", "Content", nil)
	for _, tt := range []struct {
		name    string
		attempt int32
		ran     time.Duration
		err     error
		want    bool
	}{
		{"fails again and again", 30, time.Second, passing, true},
		{"has only begun to fail", 3, time.Second, passing, false},
		{"got somewhere in between", 30, time.Hour, passing, false},
		{"is asked to wait for long each time", 2, time.Second, temporal.NewApplicationErrorWithOptions("429", "iconik", temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour}), true},
		{"is settled", 30, time.Second, final, false},
		{"works again", 30, time.Second, nil, false},
		{"stops with its worker", 30, time.Second, temporal.NewApplicationError("stopping", "WorkerStopping"), false},
		{"was cancelled", 30, time.Second, errors.New("canceled"), false},
	} {
		assert.Equal(t, tt.want, isStuck(tt.attempt, tt.ran, tt.err), tt.name)
	}
}
