package transfer

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// stream reads a source without ranges, or of unknown size, in one go, and stores the parts in parallel.
func (r *run) stream(ctx context.Context) error {
	r.hash.Reset() // it is read from the beginning, whatever the checkpoint says
	r.hashed, r.crc, r.mark = 0, 0, 0
	clear(r.states)
	var body io.ReadCloser = http.NoBody
	if r.job.Size != 0 {
		var err error
		if body, err = r.job.Source.Open(ctx, 0, -1); err != nil {
			return err
		}
	}
	defer body.Close()
	group, ctx := errgroup.WithContext(ctx)
	defer r.stopWaiting(ctx)()
	s := &streaming{run: r, group: group, slots: semaphore.NewWeighted(int64(r.e.o.PartsInFlight)), body: bufio.NewReaderSize(body, 4<<10)}
	for n, ended := 1, false; !ended; n++ {
		var err error
		if ended, err = s.part(ctx, n); err != nil {
			group.Go(func() error { return err })
			break
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if r.job.Size >= 0 && r.bytes != r.job.Size {
		return &SizeMismatch{Stated: r.job.Size, Actual: r.bytes}
	}
	return nil
}

// streaming is the state of a source that is read in one go.
type streaming struct {
	*run
	body   *bufio.Reader // peeks ahead to recognize the last part
	group  *errgroup.Group
	slots  *semaphore.Weighted
	offset int64
}

// part reads the next part and begins to store it.
func (s *streaming) part(ctx context.Context, n int) (ended bool, err error) {
	size := s.plan.PartSize
	if s.plan.Sizes != nil && n <= len(s.plan.Sizes) {
		size = s.plan.Sizes[n-1]
	}
	if err := s.slots.Acquire(ctx, 1); err != nil {
		return true, err
	}
	if err := s.e.memory.Acquire(ctx, s.lasts); err != nil {
		return true, err
	}
	buf := s.e.buffer(size)
	release := func() {
		s.e.giveBack(buf)
		s.e.memory.Release(s.lasts)
		s.slots.Release(1)
	}
	got, ended, more, err := s.fill(buf)
	if at := s.offset + int64(got); err == nil && more && s.job.Size >= 0 && at >= s.job.Size {
		err = &SizeMismatch{Stated: s.job.Size, Actual: at + 1} // at least
	}
	if err == nil {
		err = s.limit(ctx, got)
	}
	if err != nil || got == 0 && n > 1 {
		release()
		return true, err
	}
	s.hashInOrder(n, buf[:got])
	total := s.plan.Parts
	if ended {
		total = n
	}
	p := newPart(n, total, s.offset, buf[:got], s.wants(n))
	s.offset += int64(got)
	p.arrived(got)
	s.group.Go(func() error {
		defer release()
		return s.store(ctx, p)
	})
	return ended || s.job.Size >= 0 && s.offset >= s.job.Size, nil
}

// fill reads a whole part, or the rest of the source, and reports whether there is more.
func (s *streaming) fill(buf []byte) (got int, ended, more bool, err error) {
	got, err = io.ReadFull(s.body, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return got, true, false, nil
	}
	if err == nil {
		_, perr := s.body.Peek(1)
		ended, more = perr == io.EOF, perr == nil
	}
	return got, ended, more, err
}

func (s *streaming) store(ctx context.Context, p *Part) error {
	var sums sync.WaitGroup
	sums.Go(p.takeSums)
	defer sums.Wait()
	if err := s.put(ctx, p); err != nil {
		return err
	}
	s.report()
	return nil
}
