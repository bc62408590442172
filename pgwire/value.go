package pgwire

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// oidOfValue returns the type of a column by a value, 0 for a string and for NULL.
func oidOfValue(v any) uint32 {
	switch v.(type) {
	case int64:
		return pgtype.Int8OID
	case float64:
		return pgtype.Float8OID
	case bool:
		return pgtype.BoolOID
	case []byte:
		return pgtype.ByteaOID
	case time.Time:
		return pgtype.TimestamptzOID
	}
	return 0
}

// encode returns a value as the column has it on the wire, nil for NULL.
func (c *session) encode(field pgproto3.FieldDescription, v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	if t, ok := c.types.TypeForOID(field.DataTypeOID); ok {
		if b, raw := v.([]byte); raw && t.OID != pgtype.ByteaOID {
			v = string(b)
		}
		return c.types.Encode(t.OID, field.Format, v, []byte{})
	}
	switch v := v.(type) {
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	}
	if t, ok := c.types.TypeForValue(v); ok {
		return c.types.Encode(t.OID, pgtype.TextFormatCode, v, []byte{})
	}
	return fmt.Append(nil, v), nil
}
