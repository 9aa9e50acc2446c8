package transfer

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

const (
	partTries  = 8 // of one part, before the whole transfer fails and is retried from its checkpoint
	partWait   = 500 * time.Millisecond
	partWaitTo = 15 * time.Second
)

// Options limit an engine. Zero values mean the defaults.
type Options struct {
	PartsInFlight int   // of one file
	PartSize      int64 // bytes
	Memory        int64 // bytes, all transfers together
	Bandwidth     int64 // bytes per second, all transfers together; 0: no limit
	Client        *http.Client
	Metrics       *Metrics
	// Holds is called with the size of all buffers in bytes whenever their number changes.
	Holds func(bytes int64)
}

// Engine transfers files. All transfers of a worker share one engine and its memory.
type Engine struct {
	o       Options
	memory  *semaphore.Weighted // first come, first served, so that no transfer starves
	limiter *rate.Limiter

	mu      sync.Mutex
	free    [][]byte // of PartSize each
	buffers int64    // allocated, including free ones
	running int
}

// NewEngine returns an engine.
func NewEngine(o Options) *Engine {
	if o.PartsInFlight <= 0 {
		o.PartsInFlight = 8
	}
	if o.PartSize <= 0 {
		o.PartSize = 16 << 20
	}
	o.Memory = max(o.Memory, o.PartSize)
	e := &Engine{o: o, memory: semaphore.NewWeighted(o.Memory)}
	if o.Bandwidth > 0 {
		e.limiter = rate.NewLimiter(rate.Limit(o.Bandwidth), int(max(o.Bandwidth, 1<<20)))
	}
	return e
}

// Job is one file to transfer.
type Job struct {
	Source Source
	Sink   Sink
	Size   int64 // bytes, -1 if unknown
	// Resume is a previous attempt's checkpoint. One that cannot be read is ignored.
	Resume []byte
	// Limit, if not nil, blocks until n more bytes may be read from the source.
	Limit func(ctx context.Context, n int) error
	// Progress is called after each part, never concurrently.
	Progress func(Progress)
}

// Progress is how far a transfer has come. With Checkpoint, another attempt can continue from here, on any machine.
type Progress struct {
	Bytes      int64
	Checkpoint []byte
}

// Result is what a finished transfer proves.
type Result struct {
	Bytes     int64
	XXH64     string // of the whole file, 16 hex digits
	PartsSent int
	PartsKept int // already in the store
}

// run is one transfer.
type run struct {
	e     *Engine
	job   Job
	plan  Plan
	pace  *pace
	lasts int64 // bytes of memory per part

	mu        sync.Mutex
	turn      *sync.Cond
	hashed    int // parts hashed
	hash      *xxhash.Digest
	crc       uint32
	states    map[int]hashState // after each part from mark on
	mark      int               // all parts up to this one are hashed and stored
	stored    int               // parts stored, of an ordered plan
	receipts  map[int]Receipt
	bytes     int64
	sent      int
	kept      int
	failed    error
	listed    map[int]Receipt // parts that the store already had
	prior     map[int]string  // ETags from the checkpoint
	completed bool            // the store already has the whole file
}

// Copy transfers a file, or what is missing of it. After an error the parts stay in the store, and another Copy with the
// last checkpoint continues from there.
func (e *Engine) Copy(ctx context.Context, job Job) (Result, error) {
	plan, err := job.Sink.Plan(job.Size)
	if err != nil {
		return Result{}, err
	}
	r := &run{e: e, job: job, plan: plan, pace: newPace(e.o.PartsInFlight), hash: xxhash.New(), receipts: map[int]Receipt{}, prior: map[int]string{}, listed: map[int]Receipt{}, states: map[int]hashState{}}
	r.turn = sync.NewCond(&r.mu)
	r.lasts = min(plan.Largest(), e.o.Memory) // a part larger than all memory goes alone
	e.begin()
	defer e.end()
	if err := r.resume(ctx); err != nil {
		return Result{}, err
	}
	if job.Source.Ranges() && plan.Parts > 0 && job.Size > 0 {
		err = r.ranges(ctx)
	} else {
		err = r.stream(ctx)
	}
	if err != nil {
		return Result{}, err
	}
	if !r.plan.Single && !r.completed {
		if err := r.complete(ctx); err != nil {
			return Result{}, err
		}
	}
	return Result{Bytes: r.bytes, XXH64: fmt.Sprintf("%016x", r.hash.Sum64()), PartsSent: r.sent, PartsKept: r.kept}, nil
}

// ranges transfers the parts in parallel. Memory is acquired in the order of the parts, so that the hash, which needs that
// order, never waits for a part that waits for memory.
func (r *run) ranges(ctx context.Context) error {
	group, gctx := errgroup.WithContext(ctx)
	defer r.stopWaiting(gctx)()
	slots := semaphore.NewWeighted(int64(r.e.o.PartsInFlight))
	resumed := r.hashed
	for n := 1; n <= r.plan.Parts; n++ {
		if n <= resumed {
			r.note(Receipt{Number: n, ETag: r.prior[n], Size: r.plan.Length(n, r.job.Size)}, true)
			continue
		}
		if err := slots.Acquire(gctx, 1); err != nil {
			break
		}
		if err := r.e.memory.Acquire(gctx, r.lasts); err != nil {
			break
		}
		group.Go(func() error {
			defer slots.Release(1)
			defer r.e.memory.Release(r.lasts)
			return r.part(gctx, n)
		})
	}
	err := group.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// stopWaiting wakes the parts that wait for their turn when ctx ends.
func (r *run) stopWaiting(ctx context.Context) func() bool {
	return context.AfterFunc(ctx, func() {
		r.mu.Lock()
		r.failed = context.Cause(ctx)
		r.turn.Broadcast()
		r.mu.Unlock()
	})
}

// part reads a part and stores it at the same time.
func (r *run) part(ctx context.Context, n int) error {
	buf := r.e.buffer(r.plan.Length(n, r.job.Size))
	defer r.e.giveBack(buf)
	p := newPart(n, r.plan.Parts, r.plan.Offset(n), buf, r.wants(n))
	var reading sync.WaitGroup
	reading.Add(1)
	rctx, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		reading.Wait() // the buffer is reused afterwards
	}()
	reading.Add(1)
	go func() {
		defer reading.Done()
		p.takeSums()
	}()
	go func() {
		defer reading.Done()
		err := r.read(rctx, p)
		p.end(err)
		if err == nil {
			r.hashInOrder(n, buf)
		}
	}()
	if err := r.put(ctx, p); err != nil {
		return err
	}
	reading.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	r.report()
	return p.broken()
}

// wants returns the sink's checksums, plus MD5 if it must show whether the store already has the part.
func (r *run) wants(n int) Hash {
	wants := r.job.Sink.Wants()
	if _, ok := r.listed[n]; ok || r.completed {
		wants |= MD5
	}
	return wants
}

// hashInOrder adds a part to the whole file's hash, after the parts before it.
func (r *run) hashInOrder(n int, b []byte) {
	r.mu.Lock()
	for r.hashed < n-1 && r.failed == nil {
		r.turn.Wait()
	}
	mine := r.failed == nil && r.hashed == n-1 // otherwise it is read again for the store only
	r.mu.Unlock()
	if !mine {
		return
	}
	_, _ = r.hash.Write(b) // only the part whose turn it is writes
	if r.plan.WholeCRC32C {
		r.crc = crc32.Update(r.crc, castagnoli, b)
	}
	state, _ := r.hash.MarshalBinary()
	r.mu.Lock()
	r.hashed = n
	r.states[n] = hashState{state, r.crc}
	r.turn.Broadcast()
	r.mu.Unlock()
}

// read fills a part's buffer, and continues where an interrupted answer ended.
func (r *run) read(ctx context.Context, p *Part) error {
	got, told := 0, 0
	for try := 1; got < len(p.bytes); try++ {
		before := got
		err := func() error {
			body, err := r.job.Source.Open(ctx, p.Offset+int64(got), p.Size-int64(got))
			if err != nil {
				return err
			}
			defer body.Close()
			for got < len(p.bytes) {
				n, err := body.Read(p.bytes[got:])
				got += n
				if got-told >= chunk || got == len(p.bytes) {
					p.arrived(got)
					told = got
				}
				if lerr := r.limit(ctx, n); lerr != nil {
					return lerr
				}
				if err == io.EOF && got < len(p.bytes) {
					return &SourceError{Cause: io.ErrUnexpectedEOF}
				}
				if err != nil && err != io.EOF {
					return err
				}
			}
			return nil
		}()
		if err == nil {
			continue
		}
		if got > before {
			try = 1 // it made progress, so this is no repeated failure
		}
		if err := r.again(ctx, try, err); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) limit(ctx context.Context, n int) error {
	if r.job.Limit != nil && n > 0 {
		if err := r.job.Limit(ctx, n); err != nil {
			return err
		}
	}
	return r.e.limit(ctx, n)
}

func (e *Engine) limit(ctx context.Context, n int) error {
	if e.limiter == nil {
		return nil
	}
	for n > 0 { // the limiter allows at most its burst at once
		step := min(n, e.limiter.Burst())
		if err := e.limiter.WaitN(ctx, step); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// again waits before another attempt, or returns the error if there must be none.
func (r *run) again(ctx context.Context, try int, err error) error {
	var classed interface{ Retryable() bool }
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, ErrUploadGone) || errors.Is(err, ErrSourceChanged) || errors.Is(err, ErrCorrupted) || !errors.As(err, &classed) || !classed.Retryable() || try >= partTries {
		return err
	}
	r.e.o.Metrics.retried()
	wait := min(partWait<<(try-1), partWaitTo)
	wait = wait/2 + rand.N(wait/2+1) //nolint:gosec // jitter
	var sink *SinkError
	var source *SourceError
	switch {
	case errors.As(err, &sink):
		wait = max(wait, min(sink.RetryAfter, 2*partWaitTo))
	case errors.As(err, &source):
		wait = max(wait, min(source.RetryAfter, 2*partWaitTo))
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// put stores a part unless the store already has it.
func (r *run) put(ctx context.Context, p *Part) error {
	if has, err := r.hasIt(p); has || err != nil {
		return err
	}
	if err := r.awaitTurn(p.Number); err != nil {
		return err
	}
	for try := 1; ; try++ {
		if err := r.pace.acquire(ctx); err != nil {
			return err
		}
		receipt, err := r.job.Sink.Put(ctx, p)
		r.pace.release(err)
		if err == nil {
			receipt.Number, receipt.Size = p.Number, p.Size
			r.note(receipt, false)
			return nil
		}
		if broken := p.broken(); broken != nil {
			return broken // the cause of the sink's error
		}
		if err := r.again(ctx, try, err); err != nil {
			return err
		}
	}
}

// hasIt reports whether the store already has a part: one with the same MD5, or with the ETag in the checkpoint.
func (r *run) hasIt(p *Part) (bool, error) {
	have, ok := r.listed[p.Number]
	if !ok && !r.completed {
		return false, nil
	}
	sums, err := p.Sums()
	if err != nil {
		return false, err
	}
	sum := fmt.Sprintf("%x", sums.MD5)
	switch {
	case r.completed:
		have = Receipt{Number: p.Number, ETag: sum, Size: p.Size}
	case have.Size != p.Size || have.ETag != sum && (have.ETag == "" || have.ETag != r.prior[p.Number]):
		return false, nil
	}
	r.note(have, true)
	return true, nil
}

// awaitTurn lets the parts of an ordered plan pass one by one.
func (r *run) awaitTurn(n int) error {
	if !r.plan.Ordered {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.stored != n-1 && r.failed == nil {
		r.turn.Wait()
	}
	return r.failed
}

func (r *run) note(receipt Receipt, kept bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.receipts[receipt.Number] = receipt
	r.bytes += receipt.Size
	r.stored = max(r.stored, receipt.Number)
	r.turn.Broadcast()
	if kept {
		r.kept++
		return
	}
	r.sent++
	r.e.o.Metrics.part(receipt.Size)
}

func (r *run) complete(ctx context.Context) error {
	restored := false
	whole := Whole{Size: r.bytes, XXH64: r.hash.Sum64(), CRC32C: r.crc}
	for try := 1; ; try++ {
		err := r.job.Sink.Complete(ctx, r.inOrder(), whole)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrUploadGone):
			// Either the upload is lost, or it was completed and the answer was lost.
			return r.settled(ctx, r.bytes)
		case errors.Is(err, ErrPartsLost):
			if restored { // only once: a store that loses more needs a new upload
				return ErrUploadGone
			}
			restored = true
			if err := r.restore(ctx); err != nil {
				return err
			}
			continue
		}
		if err := r.again(ctx, try, err); err != nil {
			return err
		}
	}
}
