package storetest

import (
	"database/sql"
	"errors"
	"testing"
)

// Tamper changes a SQLite file as somebody does who has it in their hands.
func Tamper(tb testing.TB, path, statement string) {
	tb.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		tb.Fatal(err)
	}
	_, err = db.ExecContext(tb.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		tb.Fatal(err)
	}
}
