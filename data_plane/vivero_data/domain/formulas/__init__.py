"""The language of formula fields: text → tree (`reader`) → one SQL expression (`compiler`); pure."""
