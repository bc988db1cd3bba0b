/* The smallest program: what is measured is the start. Built static and dynamic. */
int main(void)
{
    return 0;
}
