"""The task table as a workbook: written as offices file it, read back whatever they did to it."""
