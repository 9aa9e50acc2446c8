package s3sim

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/minio/crc64nvme"
)

const (
	minPart     = 5 << 20
	maxPartSize = 5 << 30
	maxParts    = 10_000
	listPage    = 1000
)

type errorXML struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(errorXML{Code: code, Message: message})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(v)
}

// hangUp closes a connection without an answer.
func hangUp(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// ServeHTTP serves S3's requests on objects, addressed as /bucket/key.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var fault *Fault
	if s.o.Fault != nil {
		fault = s.o.Fault(r)
	}
	if fault != nil {
		time.Sleep(fault.Delay)
		switch {
		case fault.Reset:
			hangUp(w)
			return
		case fault.Status != 0:
			refuse(w, fault.Status, fault.Code, "as the test wants it")
			return
		}
	}
	if status, code, message := s.authorize(r); code != "" {
		refuse(w, status, code, message)
		return
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !ok || key == "" {
		refuse(w, http.StatusNotImplemented, "NotImplemented", "only objects are served")
		return
	}
	if fault != nil && fault.Lose {
		rec := &discard{header: http.Header{}}
		s.route(rec, r, bucket, key, nil)
		hangUp(w)
		return
	}
	s.route(w, r, bucket, key, fault)
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// maxKey is the longest name that S3 allows for an object, in bytes of UTF-8.
const maxKey = 1024

func (s *Store) route(w http.ResponseWriter, r *http.Request, bucket, key string, fault *Fault) {
	if len(key) > maxKey {
		refuse(w, http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
		return
	}
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPost && q.Has("uploads"):
		s.createUpload(w, r, bucket, key)
	case r.Method == http.MethodPost && q.Has("uploadId"):
		s.complete(w, r, bucket, key, q.Get("uploadId"))
	case r.Method == http.MethodPut && q.Has("uploadId"):
		s.putPart(w, r, bucket, key, q.Get("uploadId"), q.Get("partNumber"))
	case r.Method == http.MethodPut:
		s.putObject(w, r, bucket, key)
	case r.Method == http.MethodGet && q.Has("uploadId"):
		s.listParts(w, bucket, key, q.Get("uploadId"), q.Get("part-number-marker"))
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		s.getObject(w, r, bucket, key, fault)
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		s.abort(w, bucket, key, q.Get("uploadId"))
	case r.Method == http.MethodDelete:
		s.mu.Lock()
		delete(s.objects, bucket+"/"+key)
		s.keepObject(bucket + "/" + key)
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "The method is not allowed against this resource.")
	}
}

// receive stores a request's body, completely or not at all.
func (s *Store) receive(w http.ResponseWriter, r *http.Request) (*object, bool) {
	if r.ContentLength < 0 {
		refuse(w, http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
		return nil, false
	}
	if r.ContentLength > maxPartSize {
		refuse(w, http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
		return nil, false
	}
	o := &object{Type: r.Header.Get("Content-Type"), Modified: s.now().UTC()}
	sum := md5.New()
	var err error
	body := s.corrupted(r.Body)
	crc := crc64nvme.New()
	var sums io.Writer = sum
	if s.o.CRC64 {
		sums = io.MultiWriter(sum, crc)
	}
	switch {
	case s.o.Discard && r.ContentLength > discardFrom:
		o.Discarded = true
		o.Size, err = io.CopyBuffer(writerOnly{sums}, body, make([]byte, 256<<10))
	case s.o.Dir == "":
		var b bytes.Buffer
		b.Grow(int(min(r.ContentLength, 1<<28)))
		o.Size, err = io.Copy(io.MultiWriter(&b, sums), body)
		o.bytes = b.Bytes()
	default:
		o.Size, o.File, err = s.receiveFile(body, sums)
	}
	if err != nil || o.Size != r.ContentLength {
		s.drop(o)
		refuse(w, http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.")
		return nil, false
	}
	o.ETag = hex.EncodeToString(sum.Sum(nil))
	if s.o.CRC64 {
		w.Header().Set("X-Amz-Checksum-Crc64nvme", base64.StdEncoding.EncodeToString(crc.Sum(nil)))
	}
	if want := r.Header.Get("Content-MD5"); want != "" && want != base64.StdEncoding.EncodeToString(sum.Sum(nil)) {
		s.drop(o)
		refuse(w, http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
		return nil, false
	}
	return o, true
}

// discardFrom is the size, in bytes, above which a store with Discard discards bodies.
const discardFrom = 1 << 20

type writerOnly struct{ io.Writer }

// corrupted returns a reader that flips a bit of each piece read, while Corrupt is on.
func (s *Store) corrupted(body io.Reader) io.Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.corrupt {
		return body
	}
	return flipping{body}
}

type flipping struct{ r io.Reader }

func (f flipping) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if n > 0 {
		p[n/2] ^= 1
	}
	return n, err
}

func (s *Store) receiveFile(body io.Reader, sum io.Writer) (int64, string, error) {
	s.mu.Lock()
	name := s.blobName()
	s.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(s.o.Dir, "blobs", name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	n, err := io.Copy(io.MultiWriter(f, sum), body)
	return n, name, err
}

func (s *Store) drop(o *object) {
	if o != nil && o.File != "" {
		_ = os.Remove(filepath.Join(s.o.Dir, "blobs", o.File))
	}
}

func (s *Store) putObject(w http.ResponseWriter, r *http.Request, bucket, key string) {
	o, ok := s.receive(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	s.drop(s.objects[bucket+"/"+key])
	s.objects[bucket+"/"+key] = o
	s.puts[bucket+"/"+key]++
	s.keepObject(bucket + "/" + key)
	s.mu.Unlock()
	w.Header().Set("ETag", `"`+o.ETag+`"`)
}

func (s *Store) createUpload(w http.ResponseWriter, r *http.Request, bucket, key string) {
	id := newUploadID()
	s.mu.Lock()
	s.uploads[id] = &upload{Bucket: bucket, Key: key, Type: r.Header.Get("Content-Type"), Parts: map[int]*object{}}
	s.keepUpload(id)
	s.mu.Unlock()
	answer(w, struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket   string
		Key      string
		UploadID string `xml:"UploadId"`
	}{Bucket: bucket, Key: key, UploadID: id})
}

// uploadOf returns an open upload, or nil. The caller must hold the lock.
func (s *Store) uploadOf(bucket, key, id string) *upload {
	u := s.uploads[id]
	if u == nil || u.Bucket != bucket || u.Key != key {
		return nil
	}
	return u
}

const noUpload = "The specified upload does not exist."

func (s *Store) putPart(w http.ResponseWriter, r *http.Request, bucket, key, id, number string) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > maxParts {
		refuse(w, http.StatusBadRequest, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
		return
	}
	s.mu.Lock()
	u := s.uploadOf(bucket, key, id)
	s.mu.Unlock()
	if u == nil {
		refuse(w, http.StatusNotFound, "NoSuchUpload", noUpload)
		return
	}
	o, ok := s.receive(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uploadOf(bucket, key, id) == nil {
		s.drop(o)
		refuse(w, http.StatusNotFound, "NoSuchUpload", noUpload)
		return
	}
	s.drop(u.Parts[n])
	u.Parts[n] = o
	s.puts[bucket+"/"+key]++
	s.keepUpload(id)
	w.Header().Set("ETag", `"`+o.ETag+`"`)
}

type partXML struct {
	PartNumber   int
	ETag         string
	Size         int64
	LastModified string
}

func (s *Store) listParts(w http.ResponseWriter, bucket, key, id, marker string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploadOf(bucket, key, id)
	if u == nil {
		refuse(w, http.StatusNotFound, "NoSuchUpload", noUpload)
		return
	}
	after, _ := strconv.Atoi(marker)
	v := struct {
		XMLName              xml.Name `xml:"ListPartsResult"`
		Bucket               string
		Key                  string
		UploadID             string `xml:"UploadId"`
		PartNumberMarker     int
		NextPartNumberMarker int
		MaxParts             int
		IsTruncated          bool
		Part                 []partXML
	}{Bucket: bucket, Key: key, UploadID: id, PartNumberMarker: after, MaxParts: listPage}
	for n, p := range u.Parts {
		if n > after {
			v.Part = append(v.Part, partXML{n, `"` + p.ETag + `"`, p.Size, p.Modified.Format(time.RFC3339)})
		}
	}
	sort.Slice(v.Part, func(i, j int) bool { return v.Part[i].PartNumber < v.Part[j].PartNumber })
	if len(v.Part) > listPage {
		v.Part, v.IsTruncated = v.Part[:listPage], true
		v.NextPartNumberMarker = v.Part[listPage-1].PartNumber
	}
	answer(w, v)
}

func (s *Store) complete(w http.ResponseWriter, r *http.Request, bucket, key, id string) {
	var list struct {
		Parts []struct {
			PartNumber int
			ETag       string
		} `xml:"Part"`
	}
	if err := xml.NewDecoder(io.LimitReader(r.Body, 4<<20)).Decode(&list); err != nil || len(list.Parts) == 0 {
		refuse(w, http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploadOf(bucket, key, id)
	if u == nil {
		refuse(w, http.StatusNotFound, "NoSuchUpload", noUpload)
		return
	}
	var parts []*object
	last, size := 0, int64(0)
	for i, p := range list.Parts {
		have := u.Parts[p.PartNumber]
		switch {
		case p.PartNumber <= last:
			refuse(w, http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order.")
			return
		case have == nil || have.ETag != strings.Trim(p.ETag, `"`):
			refuse(w, http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.")
			return
		case have.Size < minPart && i < len(list.Parts)-1:
			refuse(w, http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
			return
		}
		last = p.PartNumber
		size += have.Size
		parts = append(parts, have)
	}
	o := &object{Size: size, ETag: multiETag(parts), Type: u.Type, Modified: s.now().UTC()}
	if err := s.join(o, parts); err != nil {
		refuse(w, http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
		return
	}
	for _, p := range u.Parts {
		s.drop(p)
	}
	s.drop(s.objects[bucket+"/"+key])
	s.objects[bucket+"/"+key] = o
	delete(s.uploads, id)
	s.keepObject(bucket + "/" + key)
	s.keepUpload(id)
	answer(w, struct {
		XMLName xml.Name `xml:"CompleteMultipartUploadResult"`
		Bucket  string
		Key     string
		ETag    string
	}{Bucket: bucket, Key: key, ETag: `"` + o.ETag + `"`})
}

// join joins the parts into one object. The caller must hold the lock.
func (s *Store) join(o *object, parts []*object) error {
	for _, p := range parts {
		if p.Discarded {
			o.Discarded = true
			return nil
		}
	}
	if s.o.Dir == "" {
		o.bytes = make([]byte, 0, o.Size)
		for _, p := range parts {
			o.bytes = append(o.bytes, p.bytes...)
		}
		return nil
	}
	o.File = s.blobName()
	f, err := os.OpenFile(filepath.Join(s.o.Dir, "blobs", o.File), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, p := range parts {
		r, err := s.open(p)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) abort(w http.ResponseWriter, bucket, key, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploadOf(bucket, key, id)
	if u == nil {
		refuse(w, http.StatusNotFound, "NoSuchUpload", noUpload)
		return
	}
	for _, p := range u.Parts {
		s.drop(p)
	}
	delete(s.uploads, id)
	s.keepUpload(id)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Store) getObject(w http.ResponseWriter, r *http.Request, bucket, key string, fault *Fault) {
	s.mu.Lock()
	o := s.objects[bucket+"/"+key]
	s.mu.Unlock()
	if o == nil {
		refuse(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	etag := `"` + o.ETag + `"`
	if m := r.Header.Get("If-Match"); m != "" && m != etag && m != "*" {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		return
	}
	body, err := s.open(o)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
		return
	}
	defer body.Close()
	h := w.Header()
	h.Set("ETag", etag)
	if o.Type != "" {
		h.Set("Content-Type", o.Type)
	} else {
		h.Set("Content-Type", "application/octet-stream")
	}
	if d := r.URL.Query().Get("response-content-disposition"); d != "" {
		h.Set("Content-Disposition", d)
	}
	r.Header.Del("If-Range") // ignored, as by MinIO
	if fault != nil && fault.Cut > 0 {
		h.Set("Content-Length", fmt.Sprint(o.Size))
		_, _ = io.CopyN(w, body, fault.Cut)
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, "", o.Modified, body)
}
