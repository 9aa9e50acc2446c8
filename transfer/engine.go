package transfer

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"sort"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

const (
	partTries  = 8 // of one part, before the transfer itself fails and is tried again from its checkpoint
	partWait   = 500 * time.Millisecond
	partWaitTo = 15 * time.Second
)

// Options bound an engine. Zero values take the defaults.
type Options struct {
	PartsInFlight int   // of one file
	PartSize      int64 // bytes
	Memory        int64 // bytes of all transfers together
	Bandwidth     int64 // bytes a second of all transfers together; 0: no limit
	Client        *http.Client
	Metrics       *Metrics
	// Holds is told the bytes of all buffers whenever their number changes.
	Holds func(bytes int64)
}

// Engine moves files. All transfers of a worker share one, and its memory.
type Engine struct {
	o       Options
	memory  *semaphore.Weighted // served in the order of asking, so that no transfer starves
	limiter *rate.Limiter

	mu      sync.Mutex
	free    [][]byte // of PartSize each
	buffers int64    // made, free ones included
	running int
}

// NewEngine makes an engine.
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

// Job is one file to move.
type Job struct {
	Source Source
	Sink   Sink
	Size   int64 // bytes, -1 when unknown
	// Resume is the checkpoint of an attempt before; one that cannot be read is ignored.
	Resume []byte
	// Limit, which may be nil, returns when so many bytes of the source may have been read.
	Limit func(ctx context.Context, n int) error
	// Progress is called after each part, never concurrently.
	Progress func(Progress)
}

// Progress says how far a transfer is. Checkpoint lets another attempt, anywhere, go on from here.
type Progress struct {
	Bytes      int64
	Checkpoint []byte
}

// Result is what a finished transfer proves.
type Result struct {
	Bytes     int64
	XXH64     string // of the whole file, 16 hex digits
	PartsSent int
	PartsKept int // found in the store from before
}

// run is one transfer.
type run struct {
	e     *Engine
	job   Job
	plan  Plan
	pace  *pace
	lasts int64 // bytes of memory that a part takes

	mu        sync.Mutex
	turn      *sync.Cond
	hashed    int // parts hashed
	hash      *xxhash.Digest
	crc       uint32
	states    map[int]hashState // after each part from mark on
	mark      int               // the parts up to here are hashed and stored
	stored    int               // parts stored, of an ordered plan
	receipts  map[int]Receipt
	bytes     int64
	sent      int
	kept      int
	failed    error
	listed    map[int]Receipt // what the store has from before
	prior     map[int]string  // ETags by the checkpoint
	completed bool            // the store has the whole file already
}

// Copy moves a file, or what is missing of it. An error leaves the parts in the store: a further Copy with the last
// checkpoint goes on from there.
func (e *Engine) Copy(ctx context.Context, job Job) (Result, error) {
	plan, err := job.Sink.Plan(job.Size)
	if err != nil {
		return Result{}, err
	}
	r := &run{e: e, job: job, plan: plan, pace: newPace(e.o.PartsInFlight), hash: xxhash.New(), receipts: map[int]Receipt{}, prior: map[int]string{}, listed: map[int]Receipt{}, states: map[int]hashState{}}
	r.turn = sync.NewCond(&r.mu)
	r.lasts = min(plan.Largest(), e.o.Memory) // a part that a store wants larger than all memory goes alone
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

// ranges moves the parts in parallel. Memory is taken in the parts' order, so that the hash, which needs that order,
// never waits for a part that waits for memory.
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

// stopWaiting wakes whoever waits for a turn when ctx ends.
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
		reading.Wait() // the buffer is another's afterwards
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

// wants are the sink's checksums, and MD5 where it must tell whether the store has the part already.
func (r *run) wants(n int) Hash {
	wants := r.job.Sink.Wants()
	if _, ok := r.listed[n]; ok || r.completed {
		wants |= MD5
	}
	return wants
}

// hashInOrder waits for the parts before.
func (r *run) hashInOrder(n int, b []byte) {
	r.mu.Lock()
	for r.hashed != n-1 && r.failed == nil {
		r.turn.Wait()
	}
	mine := r.failed == nil
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

// read fills a part's buffer and goes on where a broken answer ended.
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
			try = 1 // it moves: that is no failure in a row
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
	for n > 0 { // the limiter refuses more than its burst at once
		step := min(n, e.limiter.Burst())
		if err := e.limiter.WaitN(ctx, step); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// again waits before another attempt, or returns the error that ends it.
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
	var asked *SinkError
	if errors.As(err, &asked) {
		wait = max(wait, min(asked.RetryAfter, 2*partWaitTo))
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

// put stores a part unless the store has it.
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
			return broken // the sink only suffered from it
		}
		if err := r.again(ctx, try, err); err != nil {
			return err
		}
	}
}

// hasIt compares a part with what the store lists. A part is ours by its MD5, or by the ETag that the checkpoint has.
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

// awaitTurn lets the parts of an ordered plan through one by one.
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
	parts := make([]Receipt, 0, len(r.receipts))
	for _, p := range r.receipts {
		parts = append(parts, p)
	}
	sort.Slice(parts, func(i, j int) bool { return parts[i].Number < parts[j].Number })
	whole := Whole{Size: r.bytes, XXH64: r.hash.Sum64(), CRC32C: r.crc}
	for try := 1; ; try++ {
		err := r.job.Sink.Complete(ctx, parts, whole)
		if err == nil {
			return nil
		}
		if errors.Is(err, ErrUploadGone) {
			// Either it is lost, or an answer that was lost had completed it.
			done, derr := r.job.Sink.Done(ctx, r.bytes)
			if derr == nil && done {
				return nil
			}
			return errors.Join(err, derr)
		}
		if err := r.again(ctx, try, err); err != nil {
			return err
		}
	}
}
