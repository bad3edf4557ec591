/* A driver that refuses to start, for the tests of nm-loader. */
long DriverEntry(void *driver, void *service_key);

long DriverEntry(void *driver, void *service_key)
{
    (void)driver;
    (void)service_key;
    return (long)0xc0000001; /* STATUS_UNSUCCESSFUL */
}
