// Command bench-transfer moves a file from an HTTPS source to an HTTPS S3 store with the transfer engine and, if it is
// installed, with rclone, on this machine and in one run, and prints the ratios. Source, store and movers are separate
// processes. The store drops what it receives.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/minio/crc64nvme"

	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/transfer/s3"
)

const mib = 1 << 20

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "source":
			serve(os.Args[2:], source)
			return
		case "store":
			serve(os.Args[2:], store)
			return
		case "relay":
			relay(os.Args[2:])
			return
		case "engine":
			check(engine(os.Args[2:]))
			return
		}
	}
	check(bench())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-transfer:", err)
		os.Exit(1)
	}
}

// ----- the servers

// serve runs a handler at an address, with TLS if a certificate is given: ADDRESS SIZE [CERT KEY].
func serve(args []string, handler func(size int64) http.Handler) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	check(err)
	l, err := net.Listen("tcp", args[0])
	check(err)
	srv := &http.Server{Handler: handler(size), ReadHeaderTimeout: time.Minute}
	if len(args) > 2 {
		pair, err := tls.LoadX509KeyPair(args[2], args[3])
		check(err)
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}})
	}
	check(srv.Serve(l))
}

// source serves one block of random bytes over and over.
func source(size int64) http.Handler {
	block := make([]byte, 8*mib)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(block)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, to := int64(0), size-1
		status := http.StatusOK
		if h := r.Header.Get("Range"); h != "" {
			first, last, _ := strings.Cut(strings.TrimPrefix(h, "bytes="), "-")
			from, _ = strconv.ParseInt(first, 10, 64)
			if n, err := strconv.ParseInt(last, 10, 64); err == nil {
				to = min(n, size-1)
			}
			status = http.StatusPartialContent
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, size))
		}
		w.Header().Set("Accept-Ranges", "bytes")
		w.Header().Set("ETag", `"bench"`)
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT")
		w.Header().Set("Content-Length", strconv.FormatInt(to-from+1, 10))
		w.WriteHeader(status)
		if r.Method == http.MethodHead {
			return
		}
		for at := from; at <= to; {
			piece := block[at%int64(len(block)):]
			piece = piece[:min(int64(len(piece)), to-at+1, 256<<10)]
			if _, err := w.Write(piece); err != nil {
				return
			}
			at += int64(len(piece))
		}
	})
}

// store answers as S3 does and keeps nothing. With FRAMEBRIDGE_BENCH_CRC its answers state each part's CRC64NVME. It waits
// FRAMEBRIDGE_BENCH_WAIT before it answers a part, like a distant store.
func store(size int64) http.Handler {
	withCRC := os.Getenv("FRAMEBRIDGE_BENCH_CRC") != ""
	wait, _ := time.ParseDuration(os.Getenv("FRAMEBRIDGE_BENCH_WAIT"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.Method == http.MethodPost && q.Has("uploads"):
			fmt.Fprint(w, `<?xml version="1.0"?><InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>`)
		case r.Method == http.MethodPut:
			buf := make([]byte, 256<<10)
			crc := crc64nvme.New()
			if withCRC {
				_, _ = io.CopyBuffer(struct{ io.Writer }{crc}, struct{ io.Reader }{r.Body}, buf)
				w.Header().Set("X-Amz-Checksum-Crc64nvme", base64.StdEncoding.EncodeToString(crc.Sum(nil)))
			} else {
				_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r.Body}, buf)
			}
			time.Sleep(wait)
			w.Header().Set("ETag", `"dropped"`)
			if sum, err := base64.StdEncoding.DecodeString(r.Header.Get("Content-MD5")); err == nil && len(sum) == 16 {
				w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sum))
			}
		case r.Method == http.MethodPost:
			_, _ = io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, `<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>"dropped-1"</ETag></CompleteMultipartUploadResult>`)
		case r.Method == http.MethodHead && !strings.HasSuffix(r.URL.Path, "/"):
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
			w.Header().Set("ETag", `"dropped-1"`)
			w.Header().Set("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT")
		case q.Has("uploadId"):
			fmt.Fprint(w, `<?xml version="1.0"?><ListPartsResult></ListPartsResult>`)
		default:
			fmt.Fprint(w, `<?xml version="1.0"?><ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>`)
		}
	})
}

// relay simulates a path of 40 ms, 40 MB/s and 8 MiB in flight per connection: LISTEN TARGET.
func relay(args []string) {
	const (
		delay  = 20 * time.Millisecond
		rate   = 40e6
		flight = 8 * mib
	)
	l, err := net.Listen("tcp", args[0])
	check(err)
	for {
		c, err := l.Accept()
		check(err)
		go func() {
			defer c.Close()
			far, err := net.Dial("tcp", args[1])
			if err != nil {
				return
			}
			defer far.Close()
			type piece struct {
				b  []byte
				at time.Time
			}
			pipe := func(dst, src net.Conn, done chan<- struct{}) {
				queue := make(chan piece, flight/(64<<10))
				go func() {
					defer close(queue)
					clear := time.Now()
					for {
						b := make([]byte, 64<<10)
						n, err := src.Read(b)
						if n > 0 {
							if now := time.Now(); clear.Before(now) {
								clear = now
							}
							clear = clear.Add(time.Duration(float64(n) / rate * 1e9))
							queue <- piece{b[:n], clear.Add(delay)}
						}
						if err != nil {
							return
						}
					}
				}()
				for p := range queue {
					time.Sleep(time.Until(p.at))
					if _, err := dst.Write(p.b); err != nil {
						break
					}
				}
				done <- struct{}{}
			}
			done := make(chan struct{}, 2)
			go pipe(far, c, done)
			go pipe(c, far, done)
			<-done
		}()
	}
}

// ----- the engine as a process

// engine moves SIZE bytes from SOURCE to STORE with parts of PART MiB, PARALLEL at once; CERT may be empty.
func engine(args []string) error {
	size, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	part, _ := strconv.ParseInt(args[3], 10, 64)
	parallel, _ := strconv.Atoi(args[4])
	var settings *tls.Config
	if args[5] != "" {
		raw, err := os.ReadFile(args[5])
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(raw)
		settings = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	ctx, client := context.Background(), transfer.NewHTTPClient(settings, nil)
	src, err := transfer.NewHTTPSource(ctx, client, func(context.Context, bool) (transfer.Location, error) {
		return transfer.Location{URL: args[0] + "/file", Size: size, Ranges: true}, nil
	})
	if err != nil {
		return err
	}
	to := args[1] + "/b/k"
	sink := s3.New(s3.S3{Client: client, UploadID: "u", PartSize: part * mib,
		PartURLs: func(_ context.Context, from, _, total int) (map[int]string, error) {
			urls := map[int]string{}
			for n := from; n <= total; n++ {
				urls[n] = to + "?uploadId=u&partNumber=" + strconv.Itoa(n)
			}
			return urls, nil
		},
		Multipart: func(context.Context) (s3.MultipartURLs, error) {
			return s3.MultipartURLs{Complete: to + "?uploadId=u", ListParts: []string{to + "?uploadId=u"}}, nil
		}})
	e := transfer.NewEngine(transfer.Options{PartsInFlight: parallel, PartSize: part * mib, Memory: int64(parallel) * part * mib})
	res, err := e.Copy(ctx, transfer.Job{Source: src, Sink: sink, Size: size, Progress: func(transfer.Progress) {}})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

// ----- the comparison

type row struct {
	name string
	wall time.Duration
	cpu  time.Duration
	rss  int64 // bytes
	size int64
}

func (r row) rate() float64 { return float64(r.size) / 1e6 / r.wall.Seconds() }

func bench() error {
	size := flag.Int64("gib", 4, "size of the file in GiB")
	rounds := flag.Int("rounds", 2, "times each is run; the best counts")
	farOnly := flag.Bool("far-only", false, "only the path of 40 ms")
	rclone := flag.String("rclone", "rclone", "rclone's program")
	flag.Parse()
	dir, err := os.MkdirTemp("", "bench-transfer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cert, key, err := certificate(dir)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	peer, err := exec.LookPath(*rclone)
	if err != nil {
		fmt.Println("rclone is not installed: the engine is measured alone (go install github.com/rclone/rclone@v1.76.0)")
	}
	b := &runner{self: self, peer: peer, dir: dir, cert: cert, rounds: *rounds}
	if !*farOnly {
		bytes := *size << 30
		from, err := b.start("source", bytes, cert, key)
		if err != nil {
			return err
		}
		to, err := b.start("store", bytes, cert, key)
		if err != nil {
			return err
		}
		crc, err := b.start("store", bytes, cert, key, "FRAMEBRIDGE_BENCH_CRC=1")
		if err != nil {
			return err
		}
		rows := []row{
			b.rclone("rclone copyto, MD5 of each part", from, to, bytes, 4),
			b.engine("engine, MD5 of each part, xxh64 of the whole", from, to, bytes, 4, cert),
			b.engine("engine, CRC64NVME of each part, xxh64 of the whole", from, crc, bytes, 4, cert),
		}
		b.print(fmt.Sprintf("HTTPS both sides, %d GiB, 16 MiB x 4", *size), rows)
	}
	const far = 1 << 30
	from, err := b.start("source", far, "", "")
	if err != nil {
		return err
	}
	to, err := b.start("store", far, "", "", "FRAMEBRIDGE_BENCH_WAIT=50ms")
	if err != nil {
		return err
	}
	if from, err = b.far(from); err == nil {
		to, err = b.far(to)
	}
	if err != nil {
		return err
	}
	b.print("a path of 40 ms, 40 MB/s a connection, 1 GiB, 16 MiB x 8", []row{
		b.rclone("rclone copyto, MD5 of each part", from, to, far, 8),
		b.engine("engine, MD5 of each part, xxh64 of the whole", from, to, far, 8, ""),
	})
	b.stop()
	return b.err
}

type runner struct {
	self, peer, dir, cert string
	rounds                int
	started               []*exec.Cmd
	err                   error
}

func (b *runner) free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (b *runner) start(what string, size int64, cert, key string, env ...string) (string, error) {
	address, err := b.free()
	if err != nil {
		return "", err
	}
	args, scheme := []string{what, address, strconv.FormatInt(size, 10)}, "http://"
	if cert != "" {
		args, scheme = append(args, cert, key), "https://"
	}
	return scheme + address, b.run(address, env, args...)
}

func (b *runner) run(address string, env []string, args ...string) error {
	cmd := exec.Command(b.self, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	b.started = append(b.started, cmd)
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("%s does not start", args[0])
}

func (b *runner) far(target string) (string, error) {
	address, err := b.free()
	if err != nil {
		return "", err
	}
	return "http://" + address, b.run(address, nil, "relay", address, strings.TrimPrefix(target, "http://"))
}

func (b *runner) stop() {
	for _, cmd := range b.started {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// best runs a mover several times and keeps its fastest run.
func (b *runner) best(name string, size int64, make func() *exec.Cmd) row {
	out := row{name: name, size: size}
	for range b.rounds {
		cmd := make()
		var said strings.Builder
		cmd.Stderr, cmd.Stdout = &said, &said
		begun := time.Now()
		err := cmd.Run()
		wall := time.Since(begun)
		if err != nil {
			b.err = fmt.Errorf("%s: %w: %s", name, err, said.String())
			return out
		}
		if out.wall == 0 || wall < out.wall {
			out.wall, out.cpu = wall, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
			if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
				out.rss = usage.Maxrss << 10
			}
		}
	}
	return out
}

func (b *runner) engine(name, from, to string, size int64, parallel int, cert string) row {
	return b.best(name, size, func() *exec.Cmd {
		return exec.Command(b.self, "engine", from, to, strconv.FormatInt(size, 10), "16", strconv.Itoa(parallel), cert)
	})
}

func (b *runner) rclone(name, from, to string, size int64, parallel int) row {
	if b.peer == "" {
		return row{}
	}
	n := strconv.Itoa(parallel)
	return b.best(name, size, func() *exec.Cmd {
		cmd := exec.Command(b.peer, "copyto", ":http:file", ":s3:b/k", "--http-url", from, "--s3-provider", "Other", "--s3-endpoint", to, "--s3-access-key-id", "k",
			"--s3-secret-access-key", "s", "--s3-chunk-size", "16M", "--s3-upload-concurrency", n, "--multi-thread-streams", n, "--multi-thread-chunk-size", "16M", "--multi-thread-cutoff", "64M",
			"--s3-no-check-bucket", "--no-check-certificate", "--ignore-times", "--config", filepath.Join(b.dir, "none.conf"), "--retries", "1")
		return cmd
	})
}

func (b *runner) print(title string, rows []row) {
	fmt.Printf("\n%s\n\n| | MB/s | x rclone | CPU s/GB | x rclone | peak RSS MiB |\n|---|---|---|---|---|---|\n", title)
	peer := rows[0]
	for _, r := range rows {
		if r.wall == 0 {
			continue
		}
		perGB := r.cpu.Seconds() / (float64(r.size) / 1e9)
		speed, cost := "", ""
		if peer.wall != 0 {
			speed = fmt.Sprintf("%.2f", r.rate()/peer.rate())
			cost = fmt.Sprintf("%.2f", perGB/(peer.cpu.Seconds()/(float64(peer.size)/1e9)))
		}
		fmt.Printf("| %s | %.0f | %s | %.2f | %s | %d |\n", r.name, r.rate(), speed, perGB, cost, r.rss/mib)
	}
}

func certificate(dir string) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		return "", "", err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(crand.Reader, t, t, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	raw, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return "", "", err
	}
	return cert, key, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600)
}
