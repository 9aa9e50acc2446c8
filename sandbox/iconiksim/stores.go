package iconiksim

import (
	"net/http"
	"strconv"

	"github.com/framebridge/framebridge/sandbox/storesim"
)

// Stores are the object stores for storages other than S3. If one is nil, there is no such storage.
type Stores struct {
	GCS   *storesim.GCS
	Azure *storesim.Azure
	B2    *storesim.B2
}

// download returns a signed URL of a file, and false if its storage gives none.
func (s *Sim) download(f doc) (string, bool) {
	bucket, key := s.object(f)
	switch text(f, "storage_method") {
	case "S3":
		return s.o.Signer.Presign(http.MethodGet, bucket, key, nil, nil, s.o.URLExpiry), true
	case "GCS":
		return s.o.Stores.GCS.GetURL(bucket+"/"+key, s.o.URLExpiry), true
	case "AZURE":
		return s.o.Stores.Azure.SAS(bucket+"/"+key, s.o.URLExpiry), true
	case "B2":
		return s.o.Stores.B2.GetURL(key, s.o.URLExpiry), true
	}
	return "", false
}

// upload adds what an upload to a storage other than S3 needs.
func (s *Sim) upload(v doc) {
	bucket, key := s.object(v)
	v["upload_method"], v["upload_filename"], v["upload_credentials"] = http.MethodPut, key, doc{}
	switch text(v, "storage_method") {
	case "GCS":
		v["upload_url"], v["upload_method"] = s.o.Stores.GCS.StartURL(bucket+"/"+key, s.o.URLExpiry), http.MethodPost
	case "AZURE":
		v["upload_url"] = s.o.Stores.Azure.SAS(bucket+"/"+key, s.o.URLExpiry)
	case "B2":
		u, token := s.o.Stores.B2.UploadURL("")
		v["upload_url"], v["upload_method"], v["upload_credentials"] = u, http.MethodPost, doc{"authorizationToken": token}
	}
}

// content returns a file's bytes in its storage, and false if there are none.
func (s *Sim) content(f doc) ([]byte, bool) {
	bucket, key := s.object(f)
	switch text(f, "storage_method") {
	case "GCS":
		return s.o.Stores.GCS.Object(bucket + "/" + key)
	case "AZURE":
		return s.o.Stores.Azure.Object(bucket + "/" + key)
	case "B2":
		return s.o.Stores.B2.Object(key)
	}
	if size, _, ok := s.o.Objects.Head(bucket, key); ok && size > contentMost {
		return []byte("too large to look into"), true
	}
	b, err := s.o.Objects.Get(bucket, key)
	return b, err == nil
}

// contentMost is the largest object, in bytes, that the simulator reads.
const contentMost = 256 << 20

func (s *Sim) b2Routes() {
	onB2 := func(h func(*call, doc) (int, any)) handler {
		return s.file1(func(c *call, d doc) (int, any) {
			if text(d, "storage_method") != "B2" {
				return refuse(http.StatusBadRequest, "The file is not on a B2 storage")
			}
			return h(c, d)
		})
	}
	const prefix = "POST files/v1/assets/{id}/files/{file}/multipart/b2/"
	s.on(prefix+"start", onB2(func(c *call, d doc) (int, any) {
		id := text(c.body, "upload_file_id")
		if id == "" {
			_, key := s.object(d)
			id = s.o.Stores.B2.Start(key)
		}
		u, token := s.o.Stores.B2.UploadURL(id)
		return 200, doc{"upload_file_id": id, "upload_url": u, "authorization_token": token, "status": "OK", "error": nil, "error_code": nil}
	}))
	s.on(prefix+"finish", onB2(func(c *call, _ doc) (int, any) {
		if f := required(c.body, "upload_file_id", "sha1_list"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		if err := s.o.Stores.B2.Finish(text(c.body, "upload_file_id"), texts(c.body["sha1_list"])); err != nil {
			return refuse(http.StatusBadRequest, err.Error())
		}
		return 200, doc{}
	}))
	s.on(prefix+"cancel", onB2(func(c *call, _ doc) (int, any) {
		s.o.Stores.B2.Cancel(text(c.body, "upload_file_id"))
		return 200, doc{}
	}))
	s.on("POST files/v1/assets/{id}/files/{file}/multipart_url/s3/part", s.file1(func(c *call, d doc) (int, any) {
		bucket, key := s.object(d)
		rows := []doc{}
		for _, p := range docs(c.body["parts"]) {
			n, _ := number(p["part_number"])
			q := map[string][]string{"partNumber": {strconv.Itoa(int(n))}, "uploadId": {text(c.body, "upload_id")}}
			rows = append(rows, doc{"part_number": int(n), "checksum": p["checksum"], "url": s.o.Signer.Presign(http.MethodPut, bucket, key, q, map[string]string{"content-md5": text(p, "checksum")}, s.o.URLExpiry)})
		}
		return 200, doc{"upload_id": c.body["upload_id"], "parts": rows}
	}))
}
