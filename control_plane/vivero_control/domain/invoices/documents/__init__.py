"""Documents of invoices: a PDF/A-3 with the data of EN 16931 in it. Imported by a process of its own alone."""
