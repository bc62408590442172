package fakesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool/fake"
)

// A driverError is an error of the kind that drivers have: code asks for its type by
// a type assertion.
type driverError struct{ code string }

func (e *driverError) Error() string { return "driver: " + e.code }

// A scripted error arrives as the driver's own, wherever it was scripted.
func TestScriptedErrorsArriveAsTheyAre(t *testing.T) {
	unique := &driverError{"23505"}
	insert := func(db *sql.DB) error { _, err := db.Exec("INSERT"); return err }
	inTx := func(db *sql.DB) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		return tx.Commit()
	}
	rollback := func(db *sql.DB) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		return tx.Rollback()
	}
	drain := func(db *sql.DB) error {
		rows, err := db.Query("SELECT")
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
		}
		return rows.Err()
	}
	for name, c := range map[string]struct {
		cfg    Config
		script func(db *Fake)
		call   func(db *sql.DB) error
	}{
		"Error":        {Config{}, func(db *Fake) { db.On("INSERT").Error(unique) }, insert},
		"Errors":       {Config{}, func(db *Fake) { db.On("INSERT").Errors(1, unique) }, insert},
		"Config.Error": {Config{ErrorRate: 1, Error: unique}, func(db *Fake) { db.On("INSERT") }, insert},
		"ErrorRateOf":  {Config{}, func(db *Fake) { db.On("INSERT"); db.ErrorRateOf(1, unique).Begin() }, insert},
		"OnConnect":    {Config{}, func(db *Fake) { db.On("INSERT"); db.OnConnect().Error(unique) }, insert},
		"OnBegin":      {Config{}, func(db *Fake) { db.OnBegin().Error(unique) }, inTx},
		"OnCommit":     {Config{}, func(db *Fake) { db.OnCommit().Error(unique) }, inTx},
		"OnRollback":   {Config{}, func(db *Fake) { db.OnRollback().Error(unique) }, rollback},
		"OnPing":       {Config{}, func(db *Fake) { db.OnPing().Error(unique) }, (*sql.DB).Ping},
		"OnPrepare":    {Config{}, func(db *Fake) { db.On("INSERT"); db.OnPrepare().Error(unique) }, func(db *sql.DB) error { _, err := db.Prepare("INSERT"); return err }},
		"BreakAfter":   {Config{}, func(db *Fake) { db.On("SELECT").Rows(prices(1, 2)).BreakAfter(1, unique) }, drain},
		"RowError":     {Config{}, func(db *Fake) { db.On("SELECT").Rows(prices(1, 2).RowError(1, unique)) }, drain},
		"Answer": {Config{}, func(db *Fake) {
			db.On("SELECT").Answer(func(context.Context, []driver.NamedValue) (*sqlmock.Rows, error) { return nil, unique })
		}, drain},
		"go-sqlmock":    {Config{}, func(db *Fake) { db.Expect().ExpectExec("INSERT").WillReturnError(unique) }, insert},
		"one statement": {Config{}, func(db *Fake) { s := db.On("INSERT"); s.ErrorRateOf(1, unique).Begin() }, insert},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				db := NewT(q, c.cfg)
				c.script(db)
				err := c.call(db.DB())
				_, ok := err.(*driverError)
				require.True(q, ok, "%T %v", err, err)
				require.True(q, err == error(unique))
			})
		})
	}
}

func TestNoRowsIsNoRows(t *testing.T) {
	db := NewT(t, Config{})
	db.On(priceQuery).Error(sql.ErrNoRows)
	_, err := price(t.Context(), db.DB(), 1)
	require.True(t, err == sql.ErrNoRows)
}

// A scripted error of a context is an error of the script, not the end of the caller's.
func TestScriptedContextErrorCountsAsFailed(t *testing.T) {
	db := NewT(t, Config{})
	db.On("INSERT").Error(context.DeadlineExceeded)
	_, err := db.DB().Exec("INSERT")
	require.Equal(t, context.DeadlineExceeded, err)
	require.Equal(t, fake.Calls{Calls: 2, OK: 1, Failed: 1}, db.Stats().Calls)
}

func TestOurOwnErrorsNameTheFake(t *testing.T) {
	db := NewT(t, Config{Name: "shop", ErrorRate: 1})
	db.On("INSERT")
	_, err := db.DB().Exec("INSERT")
	require.EqualError(t, err, "shop: exec: fake: injected error")
	var e *fake.Error
	require.ErrorAs(t, err, &e)
	db.OnConnect().Outage().Begin()
	db.Kill(1).Begin()
	_, err = db.DB().Exec("INSERT")
	var failed interface{ Unwrap() error }
	require.ErrorAs(t, err, &failed)
	require.ErrorIs(t, err, fake.ErrOutage)
}

func TestErrorsAreTakenBack(t *testing.T) {
	db := NewT(t, Config{})
	insert := db.On("INSERT").Result(sqlmock.NewResult(1, 1)).Error(errors.New("down")).Errors(0.5, ErrDeadlock)
	db.OnBegin().Error(ErrDeadlock)
	_, err := db.DB().Exec("INSERT")
	require.EqualError(t, err, "down")
	insert.ClearErrors()
	db.OnBegin().ClearErrors()
	for range 20 {
		_, err = db.DB().Exec("INSERT")
		require.NoError(t, err)
	}
	tx, err := db.DB().Begin()
	require.NoError(t, err)
	require.NoError(t, tx.Commit())

	rated := NewT(t, Config{Name: "rated", ErrorRate: 1, Error: ErrDeadlock})
	rated.On("INSERT").Error(errors.New("down")).ClearErrors()
	_, err = rated.DB().Exec("INSERT")
	require.Equal(t, ErrDeadlock, err, "the rate of the Config stays")
}
