// Package rules has the tests of the repository as a whole: who may import and ask what, which file
// may be read after which, and that documents name what is there. It has nothing but tests.
package rules
