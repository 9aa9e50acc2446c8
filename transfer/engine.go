package transfer

import (
	"context"
	"crypto/md5" //nolint:gosec // the stores' ETags are MD5
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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
}

// Engine moves files. All transfers of a worker share one, and its memory.
type Engine struct {
	o       Options
	memory  *semaphore.Weighted
	limiter *rate.Limiter
	buffers sync.Pool
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

// checkpoint is written as JSON; it stays below 200 KiB with 10,000 parts.
type checkpoint struct {
	Version  int            `json:"v"`
	Size     int64          `json:"size"`
	PartSize int64          `json:"part"`
	Hashed   int            `json:"hashed"` // parts that are in Hash, in file order
	Hash     []byte         `json:"hash"`
	MD5s     []byte         `json:"md5s"` // 16 bytes a part, zeros: not finished
	Other    map[int]string `json:"etags,omitempty"`
}

const checkpointVersion = 1

// run is one transfer.
type run struct {
	e    *Engine
	job  Job
	plan Plan

	mu        sync.Mutex
	hashed    int // parts hashed
	hash      *xxhash.Digest
	turn      *sync.Cond
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
	r := &run{e: e, job: job, plan: plan, hash: xxhash.New(), receipts: map[int]Receipt{}, prior: map[int]string{}, listed: map[int]Receipt{}}
	r.turn = sync.NewCond(&r.mu)
	e.o.Metrics.inFlight(1)
	defer e.o.Metrics.inFlight(-1)
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

// resume takes up a checkpoint. What the store lists is the truth; the checkpoint says which of it was ours.
func (r *run) resume(ctx context.Context) error {
	if r.plan.Single {
		return nil
	}
	var c checkpoint
	usable := len(r.job.Resume) > 0 && json.Unmarshal(r.job.Resume, &c) == nil && c.Version == checkpointVersion &&
		c.Size == r.job.Size && c.PartSize == r.plan.PartSize && r.job.Size >= 0
	listed, err := r.job.Sink.Listed(ctx)
	switch {
	case errors.Is(err, ErrCannotList):
		return nil
	case errors.Is(err, ErrUploadGone) && r.job.Size >= 0:
		done, derr := r.job.Sink.Done(ctx, r.job.Size)
		if derr != nil || !done {
			return errors.Join(err, derr)
		}
		r.completed = true // the answer to the completion was lost: only the checksum is left to do
	case err != nil:
		return err
	}
	for _, p := range listed {
		r.listed[p.Number] = p
	}
	if !usable {
		return nil
	}
	for n, tag := range c.Other {
		r.prior[n] = tag
	}
	var none [16]byte
	for i := 0; (i+1)*16 <= len(c.MD5s); i++ {
		if sum := [16]byte(c.MD5s[i*16 : (i+1)*16]); sum != none {
			r.prior[i+1] = hex.EncodeToString(sum[:])
		}
	}
	hash := xxhash.New()
	if c.Hashed > 0 && hash.UnmarshalBinary(c.Hash) == nil {
		// Only a beginning that the store still has needs no reading again.
		for n := 1; n <= c.Hashed; n++ {
			if !r.completed && (r.prior[n] == "" || r.listed[n].ETag != r.prior[n]) {
				return nil
			}
		}
		r.hash, r.hashed = hash, c.Hashed
	}
	return nil
}

func (r *run) partLength(n int) int64 {
	return min(r.plan.PartSize, r.job.Size-int64(n-1)*r.plan.PartSize)
}

// ranges moves the parts in parallel. Memory is taken in the parts' order, so that the hash, which needs that order,
// never waits for a part that waits for memory.
func (r *run) ranges(ctx context.Context) error {
	group, gctx := errgroup.WithContext(ctx)
	slots := semaphore.NewWeighted(int64(r.e.o.PartsInFlight))
	stop := context.AfterFunc(gctx, func() {
		r.mu.Lock()
		r.failed = context.Cause(gctx)
		r.turn.Broadcast()
		r.mu.Unlock()
	})
	defer stop()
	for n := 1; n <= r.plan.Parts; n++ {
		if n <= r.hashed {
			r.note(Receipt{Number: n, ETag: r.prior[n], Size: r.partLength(n)}, true)
			continue
		}
		if err := slots.Acquire(gctx, 1); err != nil {
			break
		}
		if err := r.e.memory.Acquire(gctx, r.plan.PartSize); err != nil {
			break
		}
		group.Go(func() error {
			defer slots.Release(1)
			defer r.e.memory.Release(r.plan.PartSize)
			return r.part(gctx, n)
		})
	}
	err := group.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

func (e *Engine) buffer(size int64) []byte {
	if b, ok := e.buffers.Get().(*[]byte); ok && int64(cap(*b)) >= size {
		return (*b)[:size]
	}
	return make([]byte, size)
}

func (e *Engine) giveBack(b []byte) {
	b = b[:cap(b)]
	e.buffers.Put(&b)
}

func (r *run) part(ctx context.Context, n int) error {
	buf := r.e.buffer(r.partLength(n))
	defer r.e.giveBack(buf)
	if err := r.read(ctx, buf, int64(n-1)*r.plan.PartSize); err != nil {
		return err
	}
	hashed := make(chan struct{})
	go func() {
		defer close(hashed)
		r.hashInOrder(n, buf)
	}()
	err := r.put(ctx, n, buf)
	<-hashed
	if err == nil && ctx.Err() == nil {
		r.report()
	}
	return err
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
	r.mu.Lock()
	r.hashed = n
	r.turn.Broadcast()
	r.mu.Unlock()
}

// read fills a part's buffer and goes on where a broken answer ended.
func (r *run) read(ctx context.Context, buf []byte, offset int64) error {
	got := 0
	for try := 1; got < len(buf); try++ {
		before := got
		err := func() error {
			body, err := r.job.Source.Open(ctx, offset+int64(got), int64(len(buf)-got))
			if err != nil {
				return err
			}
			defer body.Close()
			for got < len(buf) {
				n, err := body.Read(buf[got:])
				got += n
				if lerr := r.e.limit(ctx, n); lerr != nil {
					return lerr
				}
				if err == io.EOF && got < len(buf) {
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

func (e *Engine) limit(ctx context.Context, n int) error {
	if e.limiter == nil || n == 0 {
		return nil
	}
	return e.limiter.WaitN(ctx, n)
}

// again waits before another attempt, or returns the error that ends it.
func (r *run) again(ctx context.Context, try int, err error) error {
	var classed interface{ Retryable() bool }
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, ErrUploadGone) || errors.Is(err, ErrSourceChanged) || !errors.As(err, &classed) || !classed.Retryable() || try >= partTries {
		return err
	}
	r.e.o.Metrics.retried()
	wait := min(partWait<<(try-1), partWaitTo)
	t := time.NewTimer(wait/2 + rand.N(wait/2+1))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// put stores a part unless the store has it.
func (r *run) put(ctx context.Context, n int, buf []byte) error {
	p := Part{Number: n, Total: r.plan.Parts, Bytes: buf, MD5: md5.Sum(buf)} //nolint:gosec
	sum := hex.EncodeToString(p.MD5[:])
	if have, ok := r.listed[n]; ok && have.Size == int64(len(buf)) && (have.ETag == sum || have.ETag != "" && have.ETag == r.prior[n]) || r.completed {
		if r.completed {
			have = Receipt{Number: n, ETag: sum, Size: int64(len(buf))}
		}
		r.note(have, true)
		return nil
	}
	for try := 1; ; try++ {
		receipt, err := r.job.Sink.Put(ctx, p)
		if err == nil {
			receipt.Number, receipt.Size = n, int64(len(buf))
			r.note(receipt, false)
			return nil
		}
		if err := r.again(ctx, try, err); err != nil {
			return err
		}
	}
}

func (r *run) note(receipt Receipt, kept bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.receipts[receipt.Number] = receipt
	r.bytes += receipt.Size
	if kept {
		r.kept++
		return
	}
	r.sent++
	r.e.o.Metrics.part(receipt.Size)
}

// report hands the checkpoint out.
func (r *run) report() {
	if r.job.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := checkpoint{Version: checkpointVersion, Size: r.job.Size, PartSize: r.plan.PartSize, Hashed: r.hashed}
	// The hash is ahead of the parts that are still on their way: it counts up to the first of those.
	for n := 1; n <= r.hashed; n++ {
		if _, ok := r.receipts[n]; !ok {
			c.Hashed = 0
			break
		}
	}
	if c.Hashed > 0 {
		c.Hash, _ = r.hash.MarshalBinary()
	}
	top := 0
	for n := range r.receipts {
		top = max(top, n)
	}
	c.MD5s = make([]byte, top*16)
	for n, receipt := range r.receipts {
		sum, err := hex.DecodeString(receipt.ETag)
		if err != nil || len(sum) != 16 {
			if c.Other == nil {
				c.Other = map[int]string{}
			}
			c.Other[n] = receipt.ETag
			continue
		}
		copy(c.MD5s[(n-1)*16:], sum)
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		return
	}
	r.job.Progress(Progress{Bytes: r.bytes, Checkpoint: encoded})
}

// stream reads a source without ranges, or of unknown size, in one go.
func (r *run) stream(ctx context.Context) error {
	r.hash.Reset()
	r.hashed = 0
	var body io.ReadCloser = http.NoBody
	if r.job.Size != 0 {
		var err error
		if body, err = r.job.Source.Open(ctx, 0, -1); err != nil {
			return err
		}
	}
	defer body.Close()
	if err := r.e.memory.Acquire(ctx, r.plan.PartSize); err != nil {
		return err
	}
	defer r.e.memory.Release(r.plan.PartSize)
	buf := r.e.buffer(r.plan.PartSize)
	defer r.e.giveBack(buf)
	for n := 1; ; n++ {
		got, err := io.ReadFull(body, buf)
		ended := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !ended {
			return err
		}
		if lerr := r.e.limit(ctx, got); lerr != nil {
			return lerr
		}
		if got > 0 || n == 1 {
			_, _ = r.hash.Write(buf[:got])
			r.hashed = n
			if err := r.put(ctx, n, buf[:got]); err != nil {
				return err
			}
			r.report()
		}
		if ended {
			break
		}
		if r.plan.Single && int64(got) == r.plan.PartSize && r.job.Size == int64(got) {
			break
		}
	}
	if r.job.Size >= 0 && r.bytes != r.job.Size {
		return &SizeMismatch{Stated: r.job.Size, Actual: r.bytes}
	}
	return nil
}

func (r *run) complete(ctx context.Context) error {
	parts := make([]Receipt, 0, len(r.receipts))
	for _, p := range r.receipts {
		parts = append(parts, p)
	}
	sort.Slice(parts, func(i, j int) bool { return parts[i].Number < parts[j].Number })
	for try := 1; ; try++ {
		err := r.job.Sink.Complete(ctx, parts, r.bytes)
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
