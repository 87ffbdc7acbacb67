<?php defined('SYSPATH') OR die('Kohana bootstrap needs to be included before tests run');

require_once __DIR__.'/TestCase.php';

/**
 * What Kohana makes of an error that Python raises: catch, the stock error page, the log.
 *
 * @group tortoise
 *
 * @package   Kohana/Tortoise
 * @category  Tests
 */
class Tortoise_ErrorTest extends Tortoise_TestCase {

	/**
	 * Shows an exception as Kohana does when nobody catches it, also under the command line.
	 */
	const SHOW = '
		function show($e)
		{
			if (method_exists("Kohana_Exception", "_handler"))
			{
				echo Kohana_Exception::_handler($e)->body();
			}
			else
			{
				Kohana::$is_cli = FALSE;
				Kohana_Exception::handler($e);
			}
		}
	';

	public function setUp(): void
	{
		parent::setUp();

		$this->write_class('application', 'Shop/Till.py', <<<'PYTHON'
			import json
			import logging


			class Shop_Till:
			    def read(self, text):
			        try:
			            return json.loads(text)
			        except ValueError as error:
			            raise RuntimeError("no receipt") from error

			    def close(self):
			        try:
			            self.count()
			        except LookupError as error:
			            raise RuntimeError("the day ended badly") from error

			    def count(self):
			        try:
			            return 1 / 0
			        except ZeroDivisionError as error:
			            raise LookupError("nothing to count") from error

			    def each(self, names, do):
			        return [do(name) for name in names]

			    def sell(self):
			        raise Shop_OutOfTea("only <b>two</b> left")


			class Shop_OutOfTea(Exception):
			    pass
			PYTHON);
		$this->write('application/views/till.php', '<p><?php echo $till->read("{") ?></p>');
	}

	/**
	 * The page that a script shows. Kohana 3.2 ends with a status of 1 behind it.
	 *
	 * @param   string  $code
	 * @return  string
	 */
	protected function page($code)
	{
		list($status, $output, $errors) = $this->run_process(self::SHOW.$code);

		$this->assertSame('', $errors);

		return $output;
	}

	public function test_an_error_is_an_exception_of_its_own_class()
	{
		$this->assertSame('Tortoise\Python\RuntimeError: no receipt', $this->run_script('
			try { (new Shop_Till)->read("{"); } catch (Exception $e) { echo get_class($e), ": ", $e->getMessage(); }
		'));
		$this->assertStringContainsString('only <b>two</b> left', $this->run_script('
			try { (new Shop_Till)->sell(); } catch (Tortoise\PythonException $e) { echo $e->getPythonClass(), ": ", $e->getMessage(); }
		'));
	}

	public function test_the_stock_page_shows_the_python_source()
	{
		$page = $this->page('
			try { (new Shop_Till)->read("{"); } catch (Exception $e) { show($e); }
		');

		$this->assertStringContainsString('Tortoise\Python\RuntimeError [ 0 ]:', $page);
		$this->assertStringContainsString('no receipt', $page);
		$this->assertMatchesRegularExpression('~APPPATH/classes/shop/till\.py \[ 10 \]~i', $page);
		// The line that raised is highlighted
		$this->assertMatchesRegularExpression('~<span class="line highlight"><span class="number">\s*10</span>\s+raise RuntimeError~', $page);
		// And the PHP line that called
		$this->assertStringContainsString('Shop_Till-&gt;read(', str_replace('->', '-&gt;', $page));
		$this->assertStringContainsString('script.php', $page);
		$this->assertStringNotContainsString('tortoise_worker', $page);
	}

	public function test_the_trace_has_no_unnamed_step()
	{
		$page = $this->page('
			function relay($name) { return (new Shop_Till)->read($name); }
			try { (new Shop_Till)->each(array("{"), function ($name) { return relay($name); }); } catch (Exception $e) { show($e); }
		');

		$this->assertStringContainsString('relay(', $page);
		$this->assertStringContainsString('Shop_Till->each(', $page);
		$this->assertSame(1, substr_count($page, '<h1>'), 'the page itself failed');
	}

	public function test_an_error_in_a_view_is_caught_where_views_catch()
	{
		$page = $this->page('
			try { View::factory("till", array("till" => new Shop_Till))->render(); } catch (Exception $e) { show($e); }
		');

		$this->assertStringContainsString('no receipt', $page);
		$this->assertStringContainsString('APPPATH/views/till.php', $page);
		$this->assertStringNotContainsString('<p><p>', $page);
	}

	public function test_a_file_that_cannot_be_compiled_is_shown()
	{
		$this->write_class('application', 'Shop/Broken.py', "class Shop_Broken:\n    def read(self)\n        pass\n");

		$page = $this->page('try { new Shop_Broken; } catch (Exception $e) { show($e); }');

		$this->assertStringContainsString('Tortoise\Python\SyntaxError', $page);
		$this->assertMatchesRegularExpression('~<span class="line highlight"><span class="number">\s*2</span>\s+def read\(self\)~', $page);
	}

	public function test_an_uncaught_error_is_shown_and_logged_with_its_causes()
	{
		list($status, $output, $errors) = $this->run_process('(new Shop_Till)->read("{");');

		$this->assertStringContainsString('no receipt', $output.$errors);

		$log = $this->log();
		$this->assertStringContainsString('Tortoise\Python\RuntimeError [ 0 ]: no receipt ~ APPPATH/classes/', $log);
		$this->assertSame(1, substr_count($log, 'caused by Tortoise\Python\json\decoder\JSONDecodeError [ 0 ]: Expecting'), $log);
	}

	public function test_each_cause_is_logged_once()
	{
		$this->run_process('(new Shop_Till)->close();');

		$log = $this->log();
		$this->assertSame(1, substr_count($log, 'caused by Tortoise\Python\LookupError [ 0 ]: nothing to count'), $log);
		$this->assertSame(1, substr_count($log, 'caused by Tortoise\Python\ZeroDivisionError [ 0 ]: division by zero'), $log);
	}

}
