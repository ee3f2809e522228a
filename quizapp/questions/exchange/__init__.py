"""Questions in and out of files that other people and programs use. Readers and writers are pure: bytes or text in,
questions and named problems out; only ``saving`` touches the database.

    raw bytes → formats.read (by content, then by name)
      sheets (xlsx, xls, et, ods, csv) → tables ┐
      documents (docx), pasted text → papers    ├→ Raw → reading.build → Parsed question | Problem
      gift · aiken · moodle · banks (yaml, zip) ┘
    entries → formats.write → bytes;   paper → printed_docx, printed_pdf

What no reader does: take a question half, shorten a text, run a macro or a formula, follow an address or an entity.
"""
