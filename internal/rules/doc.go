// Package rules has the tests of the repository as a whole: imports, dependence on the version, the
// reading order of files, the words and the width of code, and names in documents. It has nothing
// but tests.
package rules
