// Package chromium opens a real browser for the tests of pages.
package chromium
