package s3sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	region     = "us-east-1"
	timeFormat = "20060102T150405Z"
)

// Presigner makes presigned URLs for any S3 endpoint with path-style addresses.
type Presigner struct {
	Endpoint  string // http(s)://host[:port]
	AccessKey string
	SecretKey string
	Now       func() time.Time // nil: time.Now
}

// Presign returns a URL for one request. The given headers are signed, so the request must send exactly these.
func (p Presigner) Presign(method, bucket, key string, query url.Values, headers map[string]string, expires time.Duration) string {
	now := time.Now
	if p.Now != nil {
		now = p.Now
	}
	at := now().UTC()
	u, err := url.Parse(p.Endpoint)
	if err != nil {
		return ""
	}
	q := url.Values{}
	for k, v := range query {
		q[k] = v
	}
	names := []string{"host"}
	signed := map[string]string{"host": u.Host}
	for k, v := range headers {
		k = strings.ToLower(k)
		names = append(names, k)
		signed[k] = strings.TrimSpace(v)
	}
	sort.Strings(names)
	scope := at.Format("20060102") + "/" + region + "/s3/aws4_request"
	q.Set("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
	q.Set("X-Amz-Credential", p.AccessKey+"/"+scope)
	q.Set("X-Amz-Date", at.Format(timeFormat))
	q.Set("X-Amz-Expires", strconv.Itoa(int(expires/time.Second)))
	q.Set("X-Amz-SignedHeaders", strings.Join(names, ";"))
	path := "/" + bucket + "/" + escape(key, true)
	q.Set("X-Amz-Signature", signature(p.SecretKey, method, path, q, names, signed, at, scope))
	return u.Scheme + "://" + u.Host + path + "?" + q.Encode()
}

// escape percent-encodes as S3 does: everything but the unreserved characters.
func escape(s string, keepSlash bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

func canonicalQuery(q url.Values) string {
	var parts []string
	for k, vs := range q {
		if k == "X-Amz-Signature" {
			continue
		}
		for _, v := range vs {
			parts = append(parts, escape(k, false)+"="+escape(v, false))
		}
	}
	sort.Strings(parts)
	return strings.Join(parts, "&")
}

func signature(secret, method, path string, q url.Values, names []string, headers map[string]string, at time.Time, scope string) string {
	var h strings.Builder
	for _, n := range names {
		h.WriteString(n + ":" + headers[n] + "\n")
	}
	canonical := strings.Join([]string{method, path, canonicalQuery(q), h.String(), strings.Join(names, ";"), "UNSIGNED-PAYLOAD"}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", at.Format(timeFormat), scope, hex.EncodeToString(sum[:])}, "\n")
	return hex.EncodeToString(sign(signingKey(secret, scope), toSign))
}

// signingKeys are a day's keys by secret and scope: deriving one takes four times as long as signing with it.
var signingKeys sync.Map

func signingKey(secret, scope string) []byte {
	of := [2]string{secret, scope}
	if known, ok := signingKeys.Load(of); ok {
		return known.([]byte)
	}
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = sign(key, part)
	}
	signingKeys.Store(of, key)
	return key
}

func sign(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// authorize checks a request's presigned query as strictly as S3 does. It returns S3's error code, or "".
func (s *Store) authorize(r *http.Request) (status int, code, message string) {
	q := r.URL.Query()
	if q.Get("X-Amz-Signature") == "" {
		return http.StatusForbidden, "AccessDenied", "Access Denied."
	}
	credential := strings.SplitN(q.Get("X-Amz-Credential"), "/", 2)
	if len(credential) != 2 || credential[0] != s.o.AccessKey {
		return http.StatusForbidden, "InvalidAccessKeyId", "The access key does not exist."
	}
	at, err := time.Parse(timeFormat, q.Get("X-Amz-Date"))
	life, lerr := strconv.Atoi(q.Get("X-Amz-Expires"))
	if err != nil || lerr != nil || life < 1 || life > 7*24*3600 {
		return http.StatusBadRequest, "AuthorizationQueryParametersError", "X-Amz-Date or X-Amz-Expires is wrong."
	}
	names := strings.Split(q.Get("X-Amz-SignedHeaders"), ";")
	headers := map[string]string{}
	covered := map[string]bool{}
	for _, n := range names {
		covered[n] = true
		switch n {
		case "host":
			headers[n] = r.Host
		case "content-length":
			headers[n] = strconv.FormatInt(r.ContentLength, 10)
		default:
			headers[n] = strings.TrimSpace(r.Header.Get(n))
		}
	}
	if !covered["host"] {
		return http.StatusForbidden, "AccessDenied", "The host header must be signed."
	}
	want := signature(s.o.SecretKey, r.Method, r.URL.EscapedPath(), q, names, headers, at, credential[1])
	if !hmac.Equal([]byte(want), []byte(q.Get("X-Amz-Signature"))) {
		return http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."
	}
	if now := s.now(); now.After(at.Add(time.Duration(life)*time.Second)) || at.After(now.Add(15*time.Minute)) {
		return http.StatusForbidden, "AccessDenied", "Request has expired"
	}
	for name := range r.Header {
		if n := strings.ToLower(name); strings.HasPrefix(n, "x-amz-") && !covered[n] {
			return http.StatusForbidden, "AccessDenied", "There were headers present in the request which were not signed"
		}
	}
	return 0, "", ""
}
