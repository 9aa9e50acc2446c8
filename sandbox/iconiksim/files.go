package iconiksim

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var fileStates = []string{"OPEN", "GROWING", "AWAITED", "CLOSED", "FAILED", "ARCHIVED", "MISSING", "REDISCOVERED", "DELETED"}

const maxPartNumber = 10_000

func (s *Sim) fileRoutes() {
	s.b2Routes()
	s.on("GET files/v1/storages", func(c *call) (int, any) { return page(c, s.stored(kStorage, ""), 100, same) })
	s.on("GET files/v1/storages/{id}", func(c *call) (int, any) {
		d, ok := s.get(kStorage, c.id("id"))
		if !ok {
			return notFound("Storage")
		}
		return 200, d
	})
	s.on("GET files/v1/storages/matching/{purpose}", func(c *call) (int, any) {
		for _, d := range slices.Backward(s.stored(kStorage, "")) { // the newest is the default
			if text(d, "purpose") == c.id("purpose") && text(d, "status") == "ACTIVE" {
				return 200, d
			}
		}
		return refuse(404, "No matching storage exists")
	})
	s.formatRoutes()
	s.on("POST files/v1/assets/{id}/file_sets", s.createFileSet)
	s.on("POST files/v1/assets/{id}/files", s.createFile)
	for _, kind := range []string{kFormat, kFileSet, kFile, kProxy, kKeyframe} {
		s.on("GET files/v1/assets/{id}/"+kind, s.children(kind, false))
		s.on("GET files/v1/assets/{id}/versions/{version}/"+kind, s.children(kind, true))
	}
	s.on("GET files/v1/assets/{id}/files/{file}", s.file1(func(c *call, d doc) (int, any) {
		v := s.showFile(d, true)
		if c.flag("generate_signed_post_url", false) {
			s.addUploadURLs(v)
		}
		return 200, v
	}))
	patch := s.file1(s.patchFile)
	s.on("PATCH files/v1/assets/{id}/files/{file}", patch)
	s.on("PUT files/v1/assets/{id}/files/{file}", patch)
	s.on("DELETE files/v1/assets/{id}/files/{file}", s.file1(func(_ *call, d doc) (int, any) {
		s.drop(kFile, text(d, "id"))
		return 204, nil
	}))
	s.on("GET files/v1/assets/{id}/files/{file}/download_url", s.file1(func(_ *call, d doc) (int, any) {
		u := s.showFile(d, true)["url"]
		if u == nil {
			return notFound("File")
		}
		return 200, doc{"url": u}
	}))
	s.on("GET files/v1/assets/{id}/files/{file}/multipart_url/part", s.file1(s.partURLs))
	s.on("GET files/v1/assets/{id}/files/{file}/multipart_url", s.file1(s.multipartURLs))
	s.on("POST files/v1/assets/{id}/files/{file}/multipart/cleanup", s.file1(func(c *call, _ doc) (int, any) {
		if f := required(c.body, "upload_id"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		return 200, doc{}
	}))
	s.on("POST files/v1/assets/{id}/files/{file}/keyframes", s.file1(s.transcode))
	s.on("POST files/v1/assets/bulk/keyframes", s.transcodeAll)
	s.on("POST files/v1/assets/{id}/files/{file}/mediainfo", s.file1(func(c *call, d doc) (int, any) {
		return 200, doc{"job_id": text(s.systemJob("MEDIAINFO", text(d, "asset_id"), c.user, "FINISHED"), "id")}
	}))
	s.on("GET files/v1/assets/{id}/proxies/{proxy}/download_url", func(c *call) (int, any) {
		d, ok := s.get(kProxy, c.id("proxy"))
		if !ok || text(d, "asset_id") != c.id("id") {
			return notFound("Proxy")
		}
		return 200, doc{"url": s.showProxy(d)["url"]}
	})
}

// ofAsset returns the asset, and the version that the body names or the current one.
func (s *Sim) ofAsset(c *call) (asset doc, version string, ok bool) {
	asset, ok = s.get(kAsset, c.id("id"))
	if !ok {
		return nil, "", false
	}
	version, _ = c.body["version_id"].(string)
	if version == "" {
		version = currentVersion(asset)
	}
	return asset, version, hasVersion(asset, version)
}

// children lists what belongs to an asset: to its current version, to all versions, or to the one in the path. By default,
// files have signed URLs only if a version is named.
func (s *Sim) children(kind string, versioned bool) handler {
	return func(c *call) (int, any) {
		asset, ok := s.get(kAsset, c.id("id"))
		if !ok {
			return notFound("Asset")
		}
		version := currentVersion(asset)
		if versioned {
			if version = c.id("version"); !hasVersion(asset, version) {
				return notFound("Version")
			}
		}
		rows := slices.DeleteFunc(s.stored(kind, c.id("id")), func(d doc) bool {
			return text(d, "version_id") != version && !(!versioned && c.flag("include_all_versions", false))
		})
		signed := c.flag("generate_signed_url", versioned || kind == kProxy || kind == kKeyframe)
		return byLastID(c, rows, func(d doc) any {
			switch {
			case kind == kFile:
				return s.showFile(d, signed)
			case kind == kProxy && signed:
				return s.showProxy(d)
			case kind == kKeyframe:
				return s.showKeyframe(d, signed)
			}
			return d
		})
	}
}

func (s *Sim) formatRoutes() {
	s.on("POST files/v1/assets/{id}/formats", s.createFormat)
	s.on("GET files/v1/assets/{id}/formats/{name}", func(c *call) (int, any) {
		for _, d := range slices.Backward(s.stored(kFormat, c.id("id"))) {
			if (text(d, "name") == c.id("name") || text(d, "id") == c.id("name")) && text(d, "status") != "DELETED" {
				return 200, d
			}
		}
		return notFound("Format")
	})
	s.on("DELETE files/v1/assets/{id}/formats/{format}", func(c *call) (int, any) {
		d, ok := s.get(kFormat, c.id("format"))
		if !ok || text(d, "asset_id") != c.id("id") {
			return notFound("Format")
		}
		s.drop(kFormat, text(d, "id"))
		return 204, nil
	})
}

func (s *Sim) createFormat(c *call) (int, any) {
	_, version, ok := s.ofAsset(c)
	if !ok {
		return notFound("Asset")
	}
	if f := required(c.body, "name"); f != "" {
		return invalid(f, "Missing data for required field.")
	}
	d := doc{"id": newID(), "asset_id": c.id("id"), "version_id": version, "name": "", "user_id": c.user, "metadata": []any{}, "components": []any{}, "storage_methods": []string{},
		"is_online": false, "archive_status": "NOT_ARCHIVED", "status": "ACTIVE", "warnings": []any{}, "date_created": now(), "date_modified": now(), "date_deleted": nil, "deleted_by_user": nil}
	take(d, c.body, "name", "user_id", "metadata", "components", "storage_methods")
	s.put(kFormat, d)
	return 201, d
}

func (s *Sim) createFileSet(c *call) (int, any) {
	_, version, ok := s.ofAsset(c)
	if !ok {
		return notFound("Asset")
	}
	if f := required(c.body, "format_id", "name"); f != "" {
		return invalid(f, "Missing data for required field.")
	}
	for _, f := range []string{"base_dir", "component_ids"} {
		if _, ok := c.body[f]; !ok {
			return invalid(f, "Missing data for required field.")
		}
	}
	if f, ok := s.get(kFormat, text(c.body, "format_id")); !ok || text(f, "asset_id") != c.id("id") {
		return invalid("format_id", "Format does not exist")
	}
	if _, ok := s.get(kStorage, text(c.body, "storage_id")); !ok {
		return invalid("storage_id", "Storage does not exist")
	}
	d := doc{"id": newID(), "asset_id": c.id("id"), "version_id": version, "status": "ACTIVE", "is_archive": false, "original_storage_id": nil, "archive_file_set_id": nil,
		"file_count": 0, "date_created": now(), "date_modified": now(), "date_deleted": nil, "deleted_by_user": nil}
	take(d, c.body, "format_id", "storage_id", "name", "base_dir", "component_ids")
	s.put(kFileSet, d)
	return 201, d
}

var unsafe = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

func (s *Sim) createFile(c *call) (int, any) {
	_, version, ok := s.ofAsset(c)
	if !ok {
		return notFound("Asset")
	}
	if f := required(c.body, "original_name", "format_id", "file_set_id", "storage_id", "type"); f != "" {
		return invalid(f, "Missing data for required field.")
	}
	set, ok := s.get(kFileSet, text(c.body, "file_set_id"))
	if !ok || text(set, "asset_id") != c.id("id") || text(set, "status") == "DELETED" {
		return invalid("file_set_id", "File set does not exist")
	}
	if text(set, "format_id") != text(c.body, "format_id") {
		return invalid("format_id", "The file set is of another format")
	}
	storage, ok := s.get(kStorage, text(c.body, "storage_id"))
	if !ok {
		return invalid("storage_id", "Storage does not exist")
	}
	size, ok := number(c.body["size"])
	if !ok || size < 0 {
		return invalid("size", "Not a valid integer.")
	}
	if !oneOf(c.body, "status", fileStates...) || !oneOf(c.body, "type", "FILE", "DIRECTORY", "SYMLINK", "SEQUENCE") {
		return invalid("status", "Must be one of: "+strings.Join(fileStates, ", "))
	}
	if strings.Contains(text(c.body, "original_name"), "/") {
		return invalid("original_name", "Must not contain a slash")
	}
	id := newID()
	d := doc{"id": id, "asset_id": c.id("id"), "version_id": version, "status": "OPEN", "type": "FILE", "checksum": nil, "parent_id": nil, "name": nil, "user_id": c.user,
		"file_date_created": now(), "file_date_modified": now(), "date_created": now(), "date_modified": now(), "date_deleted": nil, "file_set_status": "ACTIVE", "format_status": "ACTIVE", // see showFile
		"storage_method": text(storage, "method"), "url": nil, "upload_url": nil, "upload_method": nil, "upload_filename": nil, "upload_credentials": nil, "multipart_upload_url": nil,
		"directory_path": "", "system_domain_id": s.domain}
	take(d, c.body, "original_name", "directory_path", "format_id", "file_set_id", "storage_id", "type", "checksum", "status", "name", "parent_id")
	d["size"] = int64(size)
	d["directory_path"] = strings.Trim(text(d, "directory_path"), "/")
	settings, _ := storage["settings"].(doc)
	switch {
	case text(d, "name") != "":
	case settings["add_uuid_to_filenames"] == false:
		d["name"] = text(d, "original_name")
	default:
		ext := path.Ext(text(d, "original_name"))
		d["name"] = unsafe.ReplaceAllString(strings.TrimSuffix(text(d, "original_name"), ext), "_") + "_" + id + unsafe.ReplaceAllString(ext, "_")
	}
	s.put(kFile, d)
	s.set(kFileSet, text(set, "id"), func(d doc) {
		n, _ := number(d["file_count"])
		d["file_count"] = int(n) + 1
	})
	v := s.showFile(d, true)
	s.addUploadURLs(v)
	s.event("assets", "files", "create", id, c.user, d)
	return 201, v
}

// object returns where the storage keeps a file.
func (s *Sim) object(f doc) (bucket, key string) {
	storage, _ := s.get(kStorage, text(f, "storage_id"))
	settings, _ := storage["settings"].(doc)
	return text(settings, "bucket"), path.Join(text(settings, "path"), text(f, "directory_path"), text(f, "name"))
}

// showFile also shows the state of a file's format and file set. If they are deleted, so is the file.
func (s *Sim) showFile(f doc, signed bool) doc {
	v := maps.Clone(f)
	for name, holder := range map[string]string{"format_status": kFormat, "file_set_status": kFileSet} {
		if d, ok := s.get(holder, text(f, strings.TrimSuffix(name, "_status")+"_id")); ok {
			v[name] = d["status"]
		}
	}
	if u, ok := s.download(f); signed && ok && text(f, "status") != "DELETED" {
		v["url"] = u
	}
	return v
}

// addUploadURLs adds what an upload needs, unless the file is closed.
func (s *Sim) addUploadURLs(v doc) {
	if text(v, "status") == "CLOSED" {
		return
	}
	if text(v, "storage_method") != "S3" {
		s.upload(v)
		return
	}
	bucket, key := s.object(v)
	v["upload_url"] = s.o.Signer.Presign(http.MethodPut, bucket, key, nil, nil, s.o.URLExpiry)
	v["upload_method"], v["upload_filename"], v["upload_credentials"] = "PUT", key, doc{}
	v["multipart_upload_url"] = s.o.Signer.Presign(http.MethodPost, bucket, key, url.Values{"uploads": {""}}, nil, s.o.URLExpiry)
}

// file1 calls a handler with the file in the path.
func (s *Sim) file1(h func(*call, doc) (int, any)) handler {
	return func(c *call) (int, any) {
		d, ok := s.get(kFile, c.id("file"))
		if !ok || text(d, "asset_id") != c.id("id") {
			return notFound("File")
		}
		return h(c, d)
	}
}

func (s *Sim) patchFile(c *call, d doc) (int, any) {
	if !oneOf(c.body, "status", fileStates...) {
		return invalid("status", "Must be one of: "+strings.Join(fileStates, ", "))
	}
	if v, ok := c.body["size"]; ok {
		n, ok := number(v)
		if !ok || n < 0 {
			return invalid("size", "Not a valid integer.")
		}
		c.body["size"] = int64(n)
	}
	d = s.set(kFile, text(d, "id"), func(d doc) {
		take(d, c.body, "status", "checksum", "size", "original_name", "name", "directory_path", "file_date_created", "file_date_modified")
	})
	return 200, s.showFile(d, true)
}

func (s *Sim) partURLs(c *call, d doc) (int, any) {
	upload := c.q.Get("upload_id")
	total, err := strconv.Atoi(c.q.Get("parts_num"))
	if upload == "" || err != nil || total < 1 || total > maxPartNumber {
		return invalid("parts_num", "Must be between 1 and 10000.")
	}
	bucket, key := s.object(d)
	numbers := make([]int, total)
	for i := range numbers {
		numbers[i] = i + 1
	}
	return page(c, numbers, 1000, func(n int) any {
		q := url.Values{"partNumber": {strconv.Itoa(n)}, "uploadId": {upload}}
		return doc{"number": n, "url": s.o.Signer.Presign(http.MethodPut, bucket, key, q, nil, s.o.URLExpiry)}
	})
}

func (s *Sim) multipartURLs(c *call, d doc) (int, any) {
	upload := c.q.Get("upload_id")
	if upload == "" {
		return invalid("upload_id", "Missing data for required field.")
	}
	bucket, key := s.object(d)
	q := url.Values{"uploadId": {upload}}
	sign := func(method string, q url.Values) string {
		return s.o.Signer.Presign(method, bucket, key, q, nil, s.o.URLExpiry)
	}
	all := doc{"complete_url": sign(http.MethodPost, q), "abort_url": sign(http.MethodDelete, q)}
	most := maxPartNumber
	if n, err := strconv.Atoi(c.q.Get("max_part_number")); err == nil {
		most = n
	}
	var lists []string // one per thousand parts
	for marker := 0; marker < most; marker += 1000 {
		lists = append(lists, sign(http.MethodGet, url.Values{"uploadId": {upload}, "part-number-marker": {strconv.Itoa(marker)}, "max-parts": {"1000"}}))
	}
	all["list_parts_url"] = lists
	if t := c.q.Get("type"); t != "" {
		v, ok := all[t]
		if !ok {
			return invalid("type", "Must be one of: complete_url, abort_url, list_parts_url")
		}
		return 200, doc{"complete_url": nil, "abort_url": nil, "list_parts_url": nil, t: v}
	}
	return 200, all
}

// transcode makes keyframes and a proxy, after a delay.
func (s *Sim) transcode(c *call, f doc) (int, any) {
	if text(f, "status") != "CLOSED" {
		return refuse(400, "File is not closed")
	}
	storage, _ := s.get(kStorage, text(f, "storage_id"))
	settings, _ := storage["settings"].(doc)
	for _, pattern := range texts(settings["transcode_ignore"]) {
		if ok, _ := path.Match(pattern, text(f, "original_name")); ok {
			return 204, nil
		}
	}
	job := text(s.systemJob("KEYFRAMES", text(f, "asset_id"), c.user, "STARTED"), "id")
	s.wait.Add(1)
	time.AfterFunc(s.o.TranscodeDelay, func() {
		defer s.wait.Done()
		s.transcoded(job, f)
	})
	return 200, doc{"job_id": job}
}

// transcodeAll makes keyframes and proxies for several assets, after a delay. There is a job for all, and one for each.
func (s *Sim) transcodeAll(c *call) (int, any) {
	ids := texts(c.body["object_ids"])
	if len(ids) == 0 || len(ids) > 500 {
		return invalid("object_ids", "Length must be between 1 and 500.")
	}
	if text(c.body, "object_type") != kAsset {
		return invalid("object_type", "Only assets are simulated.")
	}
	name, _ := c.body["format_name"].(string)
	var files []doc
	for _, id := range ids {
		asset, ok := s.get(kAsset, id)
		if !ok {
			return notFound("Asset")
		}
		version := currentVersion(asset)
		for _, f := range s.stored(kFile, id) {
			format, _ := s.get(kFormat, text(f, "format_id"))
			if text(f, "version_id") == version && text(f, "status") == "CLOSED" && text(format, "name") == cmp.Or(name, "ORIGINAL") {
				files = append(files, f)
			}
		}
	}
	all := text(s.systemJob("KEYFRAMES", "", c.user, "FINISHED"), "id")
	for _, f := range files {
		s.transcode(c, f)
	}
	return 200, doc{"job_id": all}
}

func (s *Sim) transcoded(job string, f doc) {
	s.mu.Lock()
	body, there := s.content(f)
	s.mu.Unlock()
	empty := len(body) == 0
	if len(body) > proxyMost {
		body = nil
	}
	proxyKey := text(f, "id") + "/proxy" + path.Ext(text(f, "name"))
	posterKey := text(f, "id") + "/poster.jpg"
	if body != nil {
		_ = s.o.Objects.Put(proxyBucket, proxyKey, "video/mp4", body)
		_ = s.o.Objects.Put(proxyBucket, posterKey, "image/jpeg", poster(text(f, "id")))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !there || empty {
		s.set(kJob, job, func(d doc) {
			d["status"], d["error_message"], d["progress"] = "FAILED", "The file could not be read from its storage", 0
		})
		return
	}
	asset, ok := s.get(kAsset, text(f, "asset_id"))
	if !ok {
		return
	}
	if body != nil {
		s.put(kProxy, doc{"id": newID(), "asset_id": text(f, "asset_id"), "version_id": text(f, "version_id"), "name": "proxy.mp4", "filename": "proxy.mp4", "format": "MPEG-4", "codec": "H.264, AAC",
			"size": nil, "status": "CLOSED", "resolution": doc{"width": 1280, "height": 720}, "bit_rate": 3000000, "frame_rate": nil, "is_public": false, "url": nil, "storage_id": nil,
			"date_created": now(), "date_modified": now(), "key": proxyKey})
		s.put(kKeyframe, doc{"id": newID(), "asset_id": text(f, "asset_id"), "version_id": text(f, "version_id"), "type": "POSTER", "status": "CLOSED", "filename": "poster.jpg", "format": "JPEG",
			"url": nil, "size": nil, "resolution": doc{"width": 640, "height": 360}, "time_code": nil, "date_created": now(), "date_modified": now(), "key": posterKey})
	}
	s.set(kAsset, text(asset, "id"), func(d doc) {
		d["is_online"] = true
		versions := slices.Clone(docs(d["versions"]))
		for i, v := range versions {
			if text(v, "id") == text(f, "version_id") {
				v = maps.Clone(v)
				v["is_online"] = true
				versions[i] = v
			}
		}
		d["versions"] = versions
	})
	s.set(kJob, job, func(d doc) {
		d["status"], d["progress"], d["progress_processed"], d["progress_total"] = "FINISHED", 100, 1, 1
	})
}

func (s *Sim) showProxy(d doc) doc {
	v := maps.Clone(d)
	v["url"] = s.o.Signer.Presign(http.MethodGet, proxyBucket, text(d, "key"), nil, nil, s.o.URLExpiry)
	return v
}

func (s *Sim) showKeyframe(d doc, signed bool) doc {
	v := maps.Clone(d)
	if key := text(d, "key"); signed && key != "" {
		v["url"] = s.o.Signer.Presign(http.MethodGet, proxyBucket, key, nil, nil, s.o.URLExpiry)
	}
	delete(v, "key")
	return v
}

func (s *Sim) systemJob(kind, asset, user, status string) doc {
	d := newJob(user)
	d["title"], d["type"], d["status"], d["object_type"], d["object_id"] = fmt.Sprintf("%s of asset", kind), kind, status, "assets", asset
	s.put(kJob, d)
	return d
}
