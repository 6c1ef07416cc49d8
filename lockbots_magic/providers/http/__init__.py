"""HTTP transport: client, connection, request, retry. The only importer of requests and urllib3."""
